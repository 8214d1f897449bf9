import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Java's clients take the steps of the matrix: Matrix BOOTSTRAP PREFIX STEPS, one JSON line for each. */
public class Matrix {
  interface Take { void run() throws Exception; }

  static String bootstrap, prefix;
  static Admin admin;

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    prefix = args[1];
    Map<String, Take> takes = new LinkedHashMap<>();
    takes.put("topics", Matrix::topics);
    takes.put("codecs", Matrix::codecs);
    takes.put("order", Matrix::order);
    takes.put("groups", () -> share("groups", Map.of("session.timeout.ms", "10000", "heartbeat.interval.ms", "300")));
    takes.put("time", Matrix::time);
    takes.put("idempotence", Matrix::idempotence);
    takes.put("admin", Matrix::administer);
    takes.put("transactions", Matrix::transactions);
    takes.put("kip848", () -> share("kip848", Map.of("group.protocol", "consumer")));
    admin = Admin.create(common());
    for (String step : args[2].split(",")) {
      if (!takes.containsKey(step)) continue;
      String outcome = "ok";
      try {
        takes.get(step).run();
      } catch (Throwable failure) {
        outcome = String.valueOf(failure).replaceAll("[\"\\\\\\n]", "'");
      }
      System.out.println("{\"step\":\"" + step + "\",\"outcome\":\"" + outcome.substring(0, Math.min(300, outcome.length())) + "\"}");
    }
    admin.close(Duration.ofSeconds(1));
    System.exit(0);
  }

  static Properties common() {
    Properties common = new Properties();
    common.put("bootstrap.servers", bootstrap);
    common.put("client.id", "matrix-java");
    return common;
  }

  static void create(String topic, int partitions) throws Exception {
    admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
    until(() -> partitionsOf(topic) == partitions);
  }

  static int partitionsOf(String topic) {
    try {
      return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
    } catch (Exception notYet) {
      return 0;
    }
  }

  static KafkaProducer<String, String> producer(Map<String, String> more) {
    Properties config = common();
    config.putAll(more);
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  static void produce(Map<String, String> config, List<ProducerRecord<String, String>> records) throws Exception {
    try (KafkaProducer<String, String> producer = producer(config)) {
      var sent = new ArrayList<java.util.concurrent.Future<?>>();
      for (var record : records) sent.add(producer.send(record));
      for (var one : sent) one.get();
    }
  }

  static List<ProducerRecord<String, String>> records(String topic, int count, String value, int keys) {
    List<ProducerRecord<String, String>> records = new ArrayList<>();
    for (int n = 0; n < count; n++) records.add(new ProducerRecord<>(topic, keys == 0 ? null : "k" + n % keys, value + n));
    return records;
  }

  static KafkaConsumer<String, String> consumer(Map<String, String> more) {
    Properties config = common();
    config.put("auto.offset.reset", "earliest");
    config.put("auto.commit.interval.ms", "200");
    config.putAll(more);
    return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
  }

  static class Member extends Thread {
    final ConcurrentLinkedQueue<ConsumerRecord<String, String>> got = new ConcurrentLinkedQueue<>();
    final KafkaConsumer<String, String> consumer;
    final String topic;
    volatile int assigned;
    volatile boolean stopping;

    Member(String topic, String group, Map<String, String> more) {
      Map<String, String> config = new HashMap<>(more);
      config.put("group.id", group);
      this.topic = topic;
      consumer = consumer(config);
      start();
    }

    @Override
    public void run() {
      consumer.subscribe(List.of(topic));
      while (!stopping) {
        consumer.poll(Duration.ofMillis(100)).forEach(got::add);
        assigned = consumer.assignment().size();
      }
      consumer.close();
    }

    void end() throws Exception {
      stopping = true;
      join();
    }
  }

  static List<ConsumerRecord<String, String>> readAll(String topic, int count, Map<String, String> more) throws Exception {
    Member member = new Member(topic, topic + "-readers-" + System.nanoTime(), more);
    try {
      until(() -> member.got.size() >= count);
      Thread.sleep(300);
    } finally {
      member.end();
    }
    return List.copyOf(member.got);
  }

  static void topics() throws Exception {
    String topic = prefix + "-topics";
    create(topic, 3);
    admin.deleteTopics(List.of(topic)).all().get();
    until(() -> !admin.listTopics().names().get().contains(topic));
  }

  static void codecs() throws Exception {
    String topic = prefix + "-codecs";
    create(topic, 1);
    List<String> names = List.of("none", "gzip", "snappy", "lz4", "zstd");
    for (String name : names) produce(Map.of("compression.type", name), List.of(new ProducerRecord<>(topic, name)));
    exactly(readAll(topic, names.size(), Map.of()).stream().map(ConsumerRecord::value).toList(), names);
  }

  static void order() throws Exception {
    String topic = prefix + "-order";
    create(topic, 3);
    produce(Map.of(), records(topic, 200, "", 10));
    Map<String, Integer> last = new HashMap<>();
    Map<String, Integer> partitions = new HashMap<>();
    var read = readAll(topic, 200, Map.of());
    for (var one : read) {
      check(Integer.parseInt(one.value()) > last.getOrDefault(one.key(), -1), one.key() + " rises");
      check(partitions.computeIfAbsent(one.key(), key -> one.partition()) == one.partition(), one.key() + " stays");
      last.put(one.key(), Integer.parseInt(one.value()));
    }
    exactly(read.size(), 200);
  }

  static void share(String name, Map<String, String> config) throws Exception {
    String topic = prefix + "-" + name, group = topic + "-group";
    create(topic, 4);
    Member first = new Member(topic, group, config), second = new Member(topic, group, config);
    try {
      until(() -> first.assigned == 2 && second.assigned == 2);
      produce(Map.of(), records(topic, 200, "", 20));
      until(() -> first.got.size() + second.got.size() >= 200);
    } finally {
      first.end();
      second.end();
    }
    check(!first.got.isEmpty() && !second.got.isEmpty(), "each has a share");
    Set<String> values = new HashSet<>();
    first.got.forEach(one -> values.add(one.value()));
    second.got.forEach(one -> values.add(one.value()));
    exactly(List.of(first.got.size() + second.got.size(), values.size()), List.of(200, 200));
    produce(Map.of(), records(topic, 50, "late ", 50));
    Member third = new Member(topic, group, config);
    try {
      until(() -> third.got.size() >= 50);
    } finally {
      third.end();
    }
    check(third.got.size() == 50 && third.got.stream().allMatch(one -> one.value().startsWith("late")), "only what is new");
  }

  static void time() throws Exception {
    String topic = prefix + "-time";
    TopicPartition partition = new TopicPartition(topic, 0);
    create(topic, 1);
    for (long at : new long[] {1000, 2000, 3000}) produce(Map.of(), List.of(new ProducerRecord<>(topic, 0, at, null, "" + at)));
    try (var consumer = consumer(Map.of("enable.auto.commit", "false"))) {
      consumer.assign(List.of(partition));
      long found = consumer.offsetsForTimes(Map.of(partition, 1500L)).get(partition).offset();
      consumer.seek(partition, found);
      exactly(List.of(found, consumer.poll(Duration.ofSeconds(10)).iterator().next().value()), List.of(1L, "2000"));
    }
  }

  static void idempotence() throws Exception {
    String topic = prefix + "-idempotence";
    create(topic, 1);
    produce(Map.of("enable.idempotence", "true"), records(topic, 100, "", 0));
    exactly(readAll(topic, 100, Map.of()).stream().map(ConsumerRecord::value).toList(),
        java.util.stream.IntStream.range(0, 100).mapToObj(String::valueOf).toList());
  }

  static void administer() throws Exception {
    String topic = prefix + "-admin", group = topic + "-group";
    TopicPartition partition = new TopicPartition(topic, 0);
    create(topic, 1);
    produce(Map.of(), records(topic, 2, "", 0));
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "600000"), AlterConfigOp.OpType.SET)))).all().get();
    until(() -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value().equals("600000"));
    admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(1))).all().get();
    exactly(admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition).get().offset(), 1L);
    try (var consumer = consumer(Map.of("group.id", group))) {
      consumer.assign(List.of(partition));
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(1, "told")));
      exactly(consumer.committed(Set.of(partition)).get(partition).metadata(), "told");
    }
    check(admin.listGroups().all().get().stream().anyMatch(one -> one.groupId().equals(group)), "the group is listed");
    admin.deleteConsumerGroups(List.of(group)).all().get();
    admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all().get();
    until(() -> partitionsOf(topic) == 2);
    int node = admin.describeCluster().controller().get().id();
    long size = admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node).values().iterator().next().replicaInfos().get(partition).size();
    check(size > 0, "the partition has a size");
    admin.describeMetadataQuorum().quorumInfo().get();
    admin.describeFeatures().featureMetadata().get();
    check(admin.listPartitionReassignments().reassignments().get().isEmpty(), "nothing is being moved");
    check(admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).partitions().get().get(partition).isPresent(), "nobody is elected");
    check(!admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC), new org.apache.kafka.clients.admin.ListConfigResourcesOptions()).all().get().isEmpty(), "topics have settings");
  }

  static void transactions() throws Exception {
    String topic = prefix + "-transactions", group = topic + "-group";
    TopicPartition partition = new TopicPartition(topic, 0);
    create(topic, 1);
    try (var producer = producer(Map.of("transactional.id", prefix + "-id")); var consumer = consumer(Map.of("group.id", group))) {
      producer.initTransactions();
      for (String value : List.of("a", "b", "c")) {
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, value)).get();
        if (value.equals("c")) producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(1)), consumer.groupMetadata());
        if (value.equals("b")) producer.abortTransaction();
        else producer.commitTransaction();
      }
      exactly(readAll(topic, 2, Map.of("isolation.level", "read_committed")).stream().map(ConsumerRecord::value).toList(), List.of("a", "c"));
      exactly(consumer.committed(Set.of(partition)).get(partition).offset(), 1L);
    }
  }

  static void check(boolean isSo, String what) {
    if (!isSo) throw new IllegalStateException("not so: " + what);
  }

  static void exactly(Object got, Object wanted) {
    if (!got.equals(wanted)) throw new IllegalStateException(got + " and not " + wanted);
  }

  static void until(Callable<Boolean> isSo) throws Exception {
    long end = System.currentTimeMillis() + 30_000;
    while (!isSo.call()) {
      check(System.currentTimeMillis() < end, "what was waited for 30 s");
      Thread.sleep(50);
    }
  }
}
