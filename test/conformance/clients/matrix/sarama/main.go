// sarama takes the steps of the matrix: main BOOTSTRAP PREFIX STEPS, one JSON line for each.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

var (
	bootstrap = []string{os.Args[1]}
	prefix    = os.Args[2]
	admin     sarama.ClusterAdmin
)

func config() *sarama.Config {
	made := sarama.NewConfig()
	made.Version = sarama.MaxVersion
	made.ClientID = "matrix-sarama"
	made.Producer.Return.Successes = true
	made.Producer.RequiredAcks = sarama.WaitForAll
	made.Consumer.Offsets.Initial = sarama.OffsetOldest
	made.Consumer.Offsets.AutoCommit.Interval = 200 * time.Millisecond
	made.Consumer.MaxWaitTime = 200 * time.Millisecond
	made.Consumer.Group.Session.Timeout = 10 * time.Second
	made.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	return made
}

func main() {
	admin = must(sarama.NewClusterAdmin(bootstrap, config()))
	takes := map[string]func(){
		"topics": topics, "codecs": codecs, "order": order, "groups": groups, "time": timed, "idempotence": idempotence, "admin": administer,
		"transactions": transactions,
	}
	for _, step := range strings.Split(os.Args[3], ",") {
		if take, has := takes[step]; has {
			line, _ := json.Marshal(map[string]string{"step": step, "outcome": outcome(take)})
			fmt.Println(string(line))
		}
	}
}

func outcome(take func()) (said string) {
	defer func() {
		if failure := recover(); failure != nil {
			said = fmt.Sprint(failure)
		}
	}()
	take()
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

func partitionsOf(topic string) int {
	described, err := admin.DescribeTopics([]string{topic})
	if err != nil || described[0].Err != sarama.ErrNoError {
		return 0
	}
	return len(described[0].Partitions)
}

func create(topic string, partitions int) {
	must(0, admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: 1}, false))
	until(func() bool { return partitionsOf(topic) == partitions })
}

func produce(topic string, messages []*sarama.ProducerMessage, change func(*sarama.Config)) {
	with := config()
	if change != nil {
		change(with)
	}
	producer := must(sarama.NewSyncProducer(bootstrap, with))
	defer producer.Close()
	must(0, producer.SendMessages(messages))
}

func messages(topic string, count, keys int, value string) []*sarama.ProducerMessage {
	made := make([]*sarama.ProducerMessage, count)
	for n := range made {
		made[n] = &sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder(fmt.Sprintf("k%d", n%keys)), Value: sarama.StringEncoder(fmt.Sprintf("%s%d", value, n))}
	}
	return made
}

type member struct {
	mutex  sync.Mutex
	got    []*sarama.ConsumerMessage
	claims int
	group  sarama.ConsumerGroup
	cancel context.CancelFunc
	done   chan struct{}
}

func (one *member) Setup(session sarama.ConsumerGroupSession) error {
	one.mutex.Lock()
	defer one.mutex.Unlock()
	one.claims = 0
	for _, partitions := range session.Claims() {
		one.claims += len(partitions)
	}
	return nil
}

func (one *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (one *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, isOpen := <-claim.Messages():
			if !isOpen {
				return nil
			}
			one.mutex.Lock()
			one.got = append(one.got, message)
			one.mutex.Unlock()
			session.MarkMessage(message, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

func (one *member) count() (got, claims int) {
	one.mutex.Lock()
	defer one.mutex.Unlock()
	return len(one.got), one.claims
}

func join(topic, group string, change func(*sarama.Config)) *member {
	with := config()
	if change != nil {
		change(with)
	}
	ctx, cancel := context.WithCancel(context.Background())
	one := &member{group: must(sarama.NewConsumerGroup(bootstrap, group, with)), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(one.done)
		for ctx.Err() == nil {
			_ = one.group.Consume(ctx, []string{topic}, one)
		}
	}()
	return one
}

func (one *member) stop() {
	one.cancel()
	<-one.done
	_ = one.group.Close()
}

func readAll(topic string, count int, change func(*sarama.Config)) []*sarama.ConsumerMessage {
	one := join(topic, fmt.Sprintf("%s-readers-%d", topic, time.Now().UnixNano()), change)
	defer one.stop()
	until(func() bool { got, _ := one.count(); return got >= count })
	time.Sleep(300 * time.Millisecond)
	one.mutex.Lock()
	defer one.mutex.Unlock()
	return one.got
}

func texts(read []*sarama.ConsumerMessage) []string {
	values := make([]string, len(read))
	for at, message := range read {
		values[at] = string(message.Value)
	}
	return values
}

func topics() {
	topic := prefix + "-topics"
	create(topic, 3)
	must(0, admin.DeleteTopic(topic))
	until(func() bool { _, has := must(admin.ListTopics())[topic]; return !has })
}

func codecs() {
	topic := prefix + "-codecs"
	create(topic, 1)
	names := []string{"none", "gzip", "snappy", "lz4", "zstd"}
	for at, name := range names {
		message := []*sarama.ProducerMessage{{Topic: topic, Value: sarama.StringEncoder(name)}}
		produce(topic, message, func(with *sarama.Config) { with.Producer.Compression = sarama.CompressionCodec(at) })
	}
	exactly(texts(readAll(topic, len(names), nil)), names)
}

func order() {
	topic := prefix + "-order"
	create(topic, 3)
	produce(topic, messages(topic, 200, 10, ""), nil)
	last, partitions := map[string]int{}, map[string]int32{}
	read := readAll(topic, 200, nil)
	exactly(len(read), 200)
	for _, message := range read {
		key, n := string(message.Key), 0
		must(fmt.Sscan(string(message.Value), &n))
		before, has := last[key]
		check(!has || n > before, key+" rises")
		check(!has || partitions[key] == message.Partition, key+" stays in its partition")
		last[key], partitions[key] = n, message.Partition
	}
}

func groups() {
	topic, group := prefix+"-groups", prefix+"-group"
	create(topic, 4)
	first, second := join(topic, group, nil), join(topic, group, nil)
	until(func() bool {
		_, mine := first.count()
		_, yours := second.count()
		return mine == 2 && yours == 2
	})
	produce(topic, messages(topic, 200, 20, ""), nil)
	until(func() bool {
		mine, _ := first.count()
		yours, _ := second.count()
		return mine+yours >= 200
	})
	first.stop()
	second.stop()
	check(len(first.got) > 0 && len(second.got) > 0, "each has a share")
	distinct := map[string]bool{}
	for _, value := range append(texts(first.got), texts(second.got)...) {
		distinct[value] = true
	}
	exactly([]int{len(first.got) + len(second.got), len(distinct)}, []int{200, 200})
	produce(topic, messages(topic, 50, 50, "late "), nil)
	third := join(topic, group, nil)
	until(func() bool { got, _ := third.count(); return got >= 50 })
	third.stop()
	check(len(third.got) == 50 && strings.HasPrefix(string(third.got[0].Value), "late"), "only what is new")
}

func timed() {
	topic := prefix + "-time"
	create(topic, 1)
	for _, at := range []int64{1000, 2000, 3000} {
		produce(topic, []*sarama.ProducerMessage{{Topic: topic, Value: sarama.StringEncoder(fmt.Sprint(at)), Timestamp: time.UnixMilli(at)}}, nil)
	}
	client := must(sarama.NewClient(bootstrap, config()))
	defer client.Close()
	offset := must(client.GetOffset(topic, 0, 1500))
	consumer := must(sarama.NewConsumerFromClient(client))
	partition := must(consumer.ConsumePartition(topic, 0, offset))
	defer partition.Close()
	exactly([]any{offset, string((<-partition.Messages()).Value)}, []any{1, "2000"})
}

func idempotence() {
	topic := prefix + "-idempotence"
	create(topic, 1)
	produce(topic, messages(topic, 100, 100, ""), func(with *sarama.Config) {
		with.Producer.Idempotent = true
		with.Net.MaxOpenRequests = 1
	})
	read := texts(readAll(topic, 100, nil))
	exactly([]string{read[0], read[99], fmt.Sprint(len(read))}, []string{"0", "99", "100"})
}

func administer() {
	topic, group := prefix+"-admin", prefix+"-admin-group"
	create(topic, 1)
	produce(topic, messages(topic, 2, 2, ""), nil)
	value := "600000"
	must(0, admin.IncrementalAlterConfig(sarama.TopicResource, topic,
		map[string]sarama.IncrementalAlterConfigsEntry{"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}}, false))
	until(func() bool {
		entries := must(admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"}}))
		return len(entries) == 1 && entries[0].Value == value
	})
	must(0, admin.DeleteRecords(topic, map[int32]int64{0: 1}))
	one := join(topic, group, nil)
	until(func() bool { got, _ := one.count(); return got == 1 })
	one.stop()
	exactly(one.got[0].Offset, 1)
	_, has := must(admin.ListConsumerGroups())[group]
	check(has, "the group is listed")
	must(0, admin.DeleteConsumerGroup(group))
	must(0, admin.CreatePartitions(topic, 2, nil, false))
	until(func() bool { return partitionsOf(topic) == 2 })
	brokers, _, err := admin.DescribeCluster()
	must(0, err)
	check(len(must(admin.DescribeLogDirs([]int32{brokers[0].ID()}))) == 1, "the directory is told")
}

func transactions() {
	topic, group := prefix+"-transactions", prefix+"-transactions-group"
	create(topic, 1)
	with := config()
	with.Producer.Idempotent = true
	with.Producer.Transaction.ID = prefix + "-id"
	with.Net.MaxOpenRequests = 1
	producer := must(sarama.NewSyncProducer(bootstrap, with))
	for _, value := range []string{"a", "b", "c"} {
		must(0, producer.BeginTxn())
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)})
		must(0, err)
		if value == "c" {
			offsets := map[string][]*sarama.PartitionOffsetMetadata{topic: {{Partition: 0, Offset: 1}}}
			must(0, producer.AddOffsetsToTxn(offsets, group))
		}
		if value == "b" {
			must(0, producer.AbortTxn())
		} else {
			must(0, producer.CommitTxn())
		}
	}
	producer.Close()
	read := readAll(topic, 2, func(with *sarama.Config) { with.Consumer.IsolationLevel = sarama.ReadCommitted })
	exactly(texts(read), []string{"a", "c"})
	told := must(admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0}}))
	exactly(told.GetBlock(topic, 0).Offset, 1)
}
