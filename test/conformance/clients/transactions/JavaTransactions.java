import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The Java side of the transaction scenarios: JavaTransactions BOOTSTRAP, one command a line on stdin as JSON, one answer a line on stdout. */
public class JavaTransactions {
  private static final Map<String, KafkaProducer<String, String>> producers = new HashMap<>();
  private static String bootstrap;

  private interface Action {
    void run() throws Exception;
  }

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      List<String> words = new ArrayList<>();
      Matcher word = Pattern.compile("\"([^\"]*)\"").matcher(line);
      while (word.find()) words.add(word.group(1));
      String told;
      try {
        told = "{\"answer\":" + answer(words) + "}";
      } catch (Exception failure) {
        told = "{\"failed\":" + quoted(failure.toString()) + "}";
      }
      System.out.println(told);
    }
    for (KafkaProducer<String, String> producer : producers.values()) producer.close(Duration.ZERO);
    System.exit(0);
  }

  private static String answer(List<String> words) throws Exception {
    if (words.get(0).equals("read")) return read(words.get(1), Integer.parseInt(words.get(2)), words.get(3).equals("committed"));
    if (words.get(0).equals("producer")) {
      Properties config = common();
      config.put("transactional.id", words.get(2));
      config.put("transaction.timeout.ms", words.get(3));
      KafkaProducer<String, String> made = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
      made.initTransactions();
      producers.put(words.get(1), made);
      return "null";
    }
    KafkaProducer<String, String> producer = producers.get(words.get(1));
    switch (words.get(0)) {
      case "begin": return attempt(producer::beginTransaction);
      case "send": return attempt(() -> producer.send(new ProducerRecord<>(words.get(2), 0, null, words.get(3))).get());
      case "commit": return attempt(producer::commitTransaction);
      case "abort": return attempt(producer::abortTransaction);
      case "transform": return attempt(() -> transform(producer, words));
      case "close": producers.remove(words.get(1)).close(Duration.ZERO); return "null";
      default: throw new IllegalArgumentException(words.get(0));
    }
  }

  private static void transform(KafkaProducer<String, String> producer, List<String> words) throws Exception {
    String from = words.get(3);
    Properties config = common();
    config.put("group.id", words.get(2));
    config.put("isolation.level", "read_committed");
    config.put("auto.offset.reset", "earliest");
    config.put("enable.auto.commit", "false");
    int count = Integer.parseInt(words.get(5));
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(from));
      List<ConsumerRecord<String, String>> records = new ArrayList<>();
      long until = System.currentTimeMillis() + 20_000;
      while (records.size() < count && System.currentTimeMillis() < until)
        for (ConsumerRecord<String, String> one : consumer.poll(Duration.ofMillis(100))) if (records.size() < count) records.add(one);
      producer.beginTransaction();
      for (ConsumerRecord<String, String> one : records) producer.send(new ProducerRecord<>(words.get(4), 0, null, one.value().toUpperCase())).get();
      OffsetAndMetadata next = new OffsetAndMetadata(records.get(records.size() - 1).offset() + 1);
      producer.sendOffsetsToTransaction(Map.of(new TopicPartition(from, 0), next), consumer.groupMetadata());
      if (words.get(6).equals("commit")) producer.commitTransaction();
      else producer.abortTransaction();
    }
  }

  private static String read(String topic, int count, boolean committed) {
    Properties config = common();
    config.put("isolation.level", committed ? "read_committed" : "read_uncommitted");
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seek(partition, 0);
      long until = System.currentTimeMillis() + 20_000;
      while (System.currentTimeMillis() < until) {
        consumer.poll(Duration.ofMillis(100)).forEach(one -> values.add(quoted(one.value())));
        if (values.size() >= count) until = Math.min(until, System.currentTimeMillis() + 400);
      }
    }
    return values.toString();
  }

  private static Properties common() {
    Properties config = new Properties();
    config.put("bootstrap.servers", bootstrap);
    config.put("reconnect.backoff.max.ms", "200");
    config.put("max.block.ms", "20000");
    return config;
  }

  private static String attempt(Action action) {
    try {
      action.run();
      return "null";
    } catch (Exception failure) {
      return quoted(failure + " " + failure.getCause());
    }
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "'").replace("\n", " ") + "\"";
  }
}
