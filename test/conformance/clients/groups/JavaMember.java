import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** One member of a group: JavaMember BOOTSTRAP GROUP TOPIC MODE INSTANCE ASSIGNOR; says what it lives through as JSON lines and leaves when stdin ends. */
public class JavaMember {
  public static void main(String[] args) throws Exception {
    String topic = args[2];
    Properties config = new Properties();
    config.put("bootstrap.servers", args[0]);
    config.put("group.id", args[1]);
    config.put("client.id", "conformance-java");
    config.put("auto.offset.reset", "earliest");
    config.put("auto.commit.interval.ms", "200");
    config.put("metadata.max.age.ms", "1000");
    if (!args[4].isEmpty()) config.put("group.instance.id", args[4]);
    if (args[3].equals("consumer")) {
      config.put("group.protocol", "consumer");
      if (!args[5].isEmpty()) config.put("group.remote.assignor", args[5]);
    } else {
      // A Java that starts beside others is slow to come back.
      config.put("session.timeout.ms", "30000");
      config.put("heartbeat.interval.ms", "300");
      boolean cooperative = args[3].equals("cooperative");
      config.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + (cooperative ? "CooperativeStickyAssignor" : "RangeAssignor"));
    }
    boolean[] stopping = {false};
    Thread watching = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {}
      } catch (java.io.IOException closed) {
        // Nobody is there any more.
      }
      stopping[0] = true;
    });
    watching.setDaemon(true);
    watching.start();
    ConsumerRebalanceListener listener = new ConsumerRebalanceListener() {
      public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        say("assigned", partitions);
      }

      public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        say("revoked", partitions);
      }

      public void onPartitionsLost(Collection<TopicPartition> partitions) {
        say("lost", partitions);
      }
    };
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      if (topic.startsWith("^")) consumer.subscribe(new SubscriptionPattern(topic.substring(1)), listener);
      else consumer.subscribe(List.of(topic), listener);
      while (!stopping[0])
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200)))
          System.out.println("{\"read\":\"" + record.value() + "\",\"partition\":\"" + record.topic() + "-" + record.partition() + "\"}");
    }
  }

  static void say(String what, Collection<TopicPartition> partitions) {
    String names = partitions.stream().map(one -> "\"" + one + "\"").sorted().collect(Collectors.joining(","));
    System.out.println("{\"" + what + "\":[" + names + "]}");
  }
}
