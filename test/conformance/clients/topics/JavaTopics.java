import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Java's clients, which send leader epochs wherever the protocol has room for them: JavaTopics BOOTSTRAP TOPIC. Looks after a topic, then
 * says "ready", waits for a line on stdin while its broker is killed and started again, and reads and writes on with the same clients.
 */
public class JavaTopics {
  public static void main(String[] args) throws Exception {
    String topic = args[1];
    TopicPartition partition = new TopicPartition(topic, 0);
    Properties common = new Properties();
    common.put("bootstrap.servers", args[0]);
    common.put("reconnect.backoff.max.ms", "200");
    Properties reading = new Properties();
    reading.putAll(common);
    // Without a policy every doubt about the position is an error, and not a jump.
    reading.put("auto.offset.reset", "none");
    reading.put("enable.auto.commit", "false");
    reading.put("group.id", topic + "-readers");
    try (Admin admin = Admin.create(common);
        KafkaProducer<String, String> producer = new KafkaProducer<>(common, new StringSerializer(), new StringSerializer());
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(reading, new StringDeserializer(), new StringDeserializer())) {
      admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(Map.of("compression.type", "lz4")))).all().get();
      for (int at = 0; at < 10; at++) producer.send(new ProducerRecord<>(topic, 0, 1000L + at, "k", "v" + at)).get();

      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", "-1"), AlterConfigOp.OpType.SET);
      admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
      Map<String, String> told = new TreeMap<>();
      for (ConfigEntry entry : admin.describeConfigs(List.of(resource)).all().get().get(resource).entries())
        if (entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG) told.put(entry.name(), entry.value());
      System.out.println("configs " + told);
      admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4))).all().get();
      for (OffsetSpec spec : List.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp(), OffsetSpec.forTimestamp(1006)))
        System.out.println("offset " + admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset());

      consumer.assign(List.of(partition));
      // A position with an epoch: the client asks where that epoch ended before it reads on.
      consumer.seek(partition, new OffsetAndMetadata(4, java.util.Optional.of(0), ""));
      read(consumer, 10);
      System.out.println("ready");
      System.in.read();
      for (int at = 10; at < 20; at++) producer.send(new ProducerRecord<>(topic, 0, 1000L + at, "k", "v" + at)).get();
      read(consumer, 20);
      consumer.commitSync();
      System.out.println("committed " + consumer.committed(java.util.Set.of(partition)).get(partition).leaderEpoch());
    }
  }

  private static void read(KafkaConsumer<String, String> consumer, long end) {
    long until = System.currentTimeMillis() + 20_000;
    StringBuilder values = new StringBuilder();
    while (consumer.position(consumer.assignment().iterator().next()) < end && System.currentTimeMillis() < until)
      consumer.poll(Duration.ofMillis(100)).forEach(one -> values.append(one.offset()).append(one.value()).append(' '));
    System.out.println("read " + values.toString().trim());
  }
}
