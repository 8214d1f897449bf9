import java.util.Arrays;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

/** Kafka Streams' word count: WordCount BOOTSTRAP STATE-DIRECTORY; from the topic lines to the topic counts, each count exactly once. */
public class WordCount {
  public static void main(String[] args) {
    Properties config = new Properties();
    config.put("bootstrap.servers", args[0]);
    config.put("state.dir", args[1]);
    config.put("application.id", "word-count");
    config.put("processing.guarantee", "exactly_once_v2");
    config.put("commit.interval.ms", "100");
    config.put("statestore.cache.max.bytes", "0");
    config.put("num.stream.threads", "2");
    config.put("consumer.session.timeout.ms", "6000");
    config.put("consumer.heartbeat.interval.ms", "1000");
    config.put("consumer.auto.offset.reset", "earliest");
    config.put("producer.transaction.timeout.ms", "10000");

    StreamsBuilder builder = new StreamsBuilder();
    builder
        .stream("lines", Consumed.with(Serdes.String(), Serdes.String()))
        .flatMapValues(line -> Arrays.asList(line.split(" ")))
        .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
        .count(Materialized.as("counted"))
        .toStream()
        .to("counts", Produced.with(Serdes.String(), Serdes.Long()));

    KafkaStreams streams = new KafkaStreams(builder.build(), config);
    streams.setUncaughtExceptionHandler(
        failure -> {
          System.out.println("FAILED " + failure);
          failure.printStackTrace(System.out);
          return StreamThreadExceptionResponse.REPLACE_THREAD;
        });
    streams.setStateListener((now, before) -> System.out.println("STATE " + now));
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
