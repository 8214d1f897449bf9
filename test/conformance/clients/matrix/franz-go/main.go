// franz-go takes the steps of the matrix: main BOOTSTRAP PREFIX STEPS, one JSON line for each.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	bootstrap = os.Args[1]
	prefix    = os.Args[2]
	client    *kgo.Client
	admin     *kadm.Client
)

func main() {
	client = must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ClientID("matrix-franz-go")))
	admin = kadm.NewClient(client)
	takes := map[string]func(context.Context){
		"topics": topics, "codecs": codecs, "order": order, "time": timed, "idempotence": idempotence, "admin": administer, "transactions": transactions,
		"groups": func(ctx context.Context) { share(ctx, "groups") },
		"kip848": func(ctx context.Context) {
			share(context.WithValue(ctx, "opt_in_kafka_next_gen_balancer_beta", true), "kip848")
		},
	}
	for _, step := range strings.Split(os.Args[3], ",") {
		if take, has := takes[step]; has {
			line, _ := json.Marshal(map[string]string{"step": step, "outcome": outcome(take)})
			fmt.Println(string(line))
		}
	}
}

func outcome(take func(context.Context)) (said string) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	defer func() {
		if failure := recover(); failure != nil {
			said = fmt.Sprint(failure)
		}
	}()
	take(ctx)
	return "ok"
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func check(isSo bool, what string) {
	if !isSo {
		panic("not so: " + what)
	}
}

func exactly(got, wanted any) {
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		panic(fmt.Sprintf("%.120v and not %.120v", got, wanted))
	}
}

func until(isSo func() bool) {
	for end := time.Now().Add(30 * time.Second); !isSo(); time.Sleep(50 * time.Millisecond) {
		check(time.Now().Before(end), "what was waited for 30 s")
	}
}

func partitionsOf(ctx context.Context, topic string) int {
	details, err := admin.ListTopics(ctx, topic)
	if err != nil || details[topic].Err != nil {
		return 0
	}
	return len(details[topic].Partitions)
}

func create(ctx context.Context, topic string, partitions int) {
	must(admin.CreateTopic(ctx, int32(partitions), 1, nil, topic))
	until(func() bool { return partitionsOf(ctx, topic) == partitions })
}

func produce(ctx context.Context, records []*kgo.Record, options ...kgo.Opt) {
	producer := must(kgo.NewClient(append(options, kgo.SeedBrokers(bootstrap), kgo.RequiredAcks(kgo.AllISRAcks()))...))
	defer producer.Close()
	if err := producer.ProduceSync(ctx, records...).FirstErr(); err != nil {
		panic(err)
	}
}

func records(topic string, count, keys int, value string) []*kgo.Record {
	made := make([]*kgo.Record, count)
	for n := range made {
		made[n] = &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "k%d", n%keys), Value: fmt.Appendf(nil, "%s%d", value, n)}
	}
	return made
}

type member struct {
	client   *kgo.Client
	got      chan *kgo.Record
	assigned chan int
	done     chan struct{}
	cancel   context.CancelFunc
}

func join(ctx context.Context, topic, group string) *member {
	one := &member{got: make(chan *kgo.Record, 1000), assigned: make(chan int, 100), done: make(chan struct{})}
	one.client = must(kgo.NewClient(
		kgo.WithContext(ctx), kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.AutoCommitInterval(200*time.Millisecond),
		kgo.SessionTimeout(10*time.Second), kgo.HeartbeatInterval(300*time.Millisecond), kgo.FetchMaxWait(200*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	))
	polling, cancel := context.WithCancel(ctx)
	one.cancel = cancel
	go func() {
		defer close(one.done)
		for polling.Err() == nil {
			one.client.PollFetches(polling).EachRecord(func(record *kgo.Record) { one.got <- record })
		}
	}()
	return one
}

func (one *member) stop(ctx context.Context) {
	one.cancel()
	<-one.done
	must(0, one.client.CommitUncommittedOffsets(ctx))
	one.client.Close()
}

func (one *member) values() []string {
	values := []string{}
	for len(one.got) > 0 {
		values = append(values, string((<-one.got).Value))
	}
	sort.Strings(values)
	return values
}

func share(ctx context.Context, name string) {
	topic, group := prefix+"-"+name, prefix+"-"+name+"-group"
	create(ctx, topic, 4)
	first, second := join(ctx, topic, group), join(ctx, topic, group)
	// Nothing is there to be read before both have their share.
	time.Sleep(8 * time.Second)
	produce(ctx, records(topic, 200, 20, ""))
	until(func() bool { return len(first.got)+len(second.got) >= 200 })
	first.stop(ctx)
	second.stop(ctx)
	mine, yours := first.values(), second.values()
	check(len(mine) > 0 && len(yours) > 0, fmt.Sprintf("shares %d and %d", len(mine), len(yours)))
	all := append(mine, yours...)
	distinct := map[string]bool{}
	for _, value := range all {
		distinct[value] = true
	}
	exactly([]int{len(all), len(distinct)}, []int{200, 200})
	produce(ctx, records(topic, 50, 50, "late "))
	third := join(ctx, topic, group)
	until(func() bool { return len(third.got) >= 50 })
	third.stop(ctx)
	late := third.values()
	check(len(late) == 50 && strings.HasPrefix(late[0], "late"), "only what is new")
}

func readAll(ctx context.Context, topic string, count int, options ...kgo.Opt) []*kgo.Record {
	reader := must(kgo.NewClient(append(options, kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(200*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...))
	defer reader.Close()
	read := []*kgo.Record{}
	for len(read) < count && ctx.Err() == nil {
		reader.PollFetches(ctx).EachRecord(func(record *kgo.Record) { read = append(read, record) })
	}
	return read
}

func texts(read []*kgo.Record) []string {
	values := make([]string, len(read))
	for at, record := range read {
		values[at] = string(record.Value)
	}
	return values
}

func topics(ctx context.Context) {
	topic := prefix + "-topics"
	create(ctx, topic, 3)
	must(admin.DeleteTopic(ctx, topic))
	until(func() bool { return !must(admin.ListTopics(ctx)).Has(topic) })
}

func codecs(ctx context.Context) {
	topic := prefix + "-codecs"
	create(ctx, topic, 1)
	wanted := []string{}
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		wanted = append(wanted, name)
		produce(ctx, []*kgo.Record{{Topic: topic, Value: []byte(name)}}, kgo.ProducerBatchCompression(codec))
	}
	exactly(texts(readAll(ctx, topic, len(wanted))), wanted)
}

func order(ctx context.Context) {
	topic := prefix + "-order"
	create(ctx, topic, 3)
	produce(ctx, records(topic, 200, 10, ""))
	last, partitions := map[string]int{}, map[string]int32{}
	read := readAll(ctx, topic, 200)
	exactly(len(read), 200)
	for _, record := range read {
		key, n := string(record.Key), 0
		must(fmt.Sscan(string(record.Value), &n))
		before, has := last[key]
		check(!has || n > before, key+" rises")
		check(!has || partitions[key] == record.Partition, key+" stays in its partition")
		last[key], partitions[key] = n, record.Partition
	}
}

func timed(ctx context.Context) {
	topic := prefix + "-time"
	create(ctx, topic, 1)
	for _, at := range []int64{1000, 2000, 3000} {
		produce(ctx, []*kgo.Record{{Topic: topic, Value: fmt.Append(nil, at), Timestamp: time.UnixMilli(at)}})
	}
	listed := must(admin.ListOffsetsAfterMilli(ctx, 1500, topic))
	found, _ := listed.Lookup(topic, 0)
	read := readAll(ctx, topic, 1, kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(1500)))
	exactly(found.Offset, 1)
	_ = read
	reader := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(1500))))
	defer reader.Close()
	exactly(string(reader.PollFetches(ctx).Records()[0].Value), "2000")
}

func idempotence(ctx context.Context) {
	topic := prefix + "-idempotence"
	create(ctx, topic, 1)
	made := records(topic, 100, 100, "")
	produce(ctx, made)
	exactly(texts(readAll(ctx, topic, 100)), texts(made))
}

func administer(ctx context.Context) {
	topic, group := prefix+"-admin", prefix+"-admin-group"
	create(ctx, topic, 1)
	produce(ctx, records(topic, 2, 2, ""))
	value := "600000"
	must(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &value}}, topic))
	until(func() bool {
		for _, config := range must(admin.DescribeTopicConfigs(ctx, topic))[0].Configs {
			if config.Key == "retention.ms" && config.MaybeValue() == value {
				return true
			}
		}
		return false
	})
	before := kadm.Offsets{}
	before.AddOffset(topic, 0, 1, -1)
	must(admin.DeleteRecords(ctx, before))
	earliest, _ := must(admin.ListStartOffsets(ctx, topic)).Lookup(topic, 0)
	exactly(earliest.Offset, 1)
	must(admin.CommitOffsets(ctx, group, before))
	check(len(must(admin.ListGroups(ctx)).Groups()) > 0, "the group is listed")
	must(admin.DeleteGroups(ctx, group))
	must(admin.UpdatePartitions(ctx, 2, topic))
	until(func() bool { return partitionsOf(ctx, topic) == 2 })
	must(admin.DescribeAllLogDirs(ctx, nil))
}

func transactions(ctx context.Context) {
	topic, group := prefix+"-transactions", prefix+"-transactions-group"
	create(ctx, topic, 1)
	produce(ctx, records(topic, 1, 1, "source "))
	session := must(kgo.NewGroupTransactSession(
		kgo.SeedBrokers(bootstrap), kgo.TransactionalID(prefix+"-id"), kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
	))
	defer session.Close()
	exactly(len(session.PollFetches(ctx).Records()), 1)
	for _, row := range []struct {
		value string
		end   kgo.TransactionEndTry
	}{{"a", kgo.TryCommit}, {"b", kgo.TryAbort}, {"c", kgo.TryCommit}} {
		must(0, session.Begin())
		must(0, session.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(row.value)}).FirstErr())
		must(session.End(ctx, row.end))
	}
	exactly(texts(readAll(ctx, topic, 3, kgo.FetchIsolationLevel(kgo.ReadCommitted()))), []string{"source 0", "a", "c"})
	offset, has := must(admin.FetchOffsets(ctx, group)).Lookup(topic, 0)
	check(has && offset.At >= 1, "offsets are committed")
}
