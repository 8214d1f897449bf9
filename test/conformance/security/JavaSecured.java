import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;

/** Java's clients over TLS and SCRAM: args are bootstrap, PEM of the authority, then user and password of the operator and of the shop. */
public class JavaSecured {
    static String[] args;

    static Properties as(String mechanism, String user, String password) {
        Properties p = new Properties();
        p.put("bootstrap.servers", args[0]);
        p.put("security.protocol", "SASL_SSL");
        p.put("ssl.truststore.type", "PEM");
        p.put("ssl.truststore.location", args[1]);
        p.put("sasl.mechanism", mechanism);
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        p.put("sasl.jaas.config", "org.apache.kafka.common.security." + module + " required username=\"" + user + "\" password=\"" + password + "\";");
        p.put("request.timeout.ms", "10000");
        p.put("default.api.timeout.ms", "15000");
        return p;
    }

    static String failure(Throwable error) {
        Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
        return cause.getClass().getSimpleName();
    }

    public static void main(String[] given) throws Exception {
        args = given;
        try (Admin admin = Admin.create(as("SCRAM-SHA-512", args[2], args[3]))) {
            admin.createTopics(List.of(new NewTopic("java", 1, (short) 1))).all().get();
            List<AclBinding> acls = new ArrayList<>();
            for (AclOperation operation : List.of(AclOperation.READ, AclOperation.WRITE))
                acls.add(new AclBinding(new ResourcePattern(ResourceType.TOPIC, "java", PatternType.LITERAL), new AccessControlEntry("User:" + args[4], "*", operation, AclPermissionType.ALLOW)));
            acls.add(new AclBinding(new ResourcePattern(ResourceType.GROUP, "java", PatternType.PREFIXED), new AccessControlEntry("User:" + args[4], "*", AclOperation.READ, AclPermissionType.ALLOW)));
            admin.createAcls(acls).all().get();
            System.out.println("acls " + admin.describeAcls(new AclBindingFilter(ResourcePatternFilter.ANY, new AccessControlEntryFilter("User:" + args[4], null, AclOperation.ANY, AclPermissionType.ANY))).values().get().size());
            admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion("made", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 8192), "of java"))).all().get();
            System.out.println("scram " + admin.describeUserScramCredentials(List.of("made")).description("made").get().credentialInfos());
            ClientQuotaEntity entity = new ClientQuotaEntity(Map.of("user", args[4]));
            admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity, List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1e6))))).all().get();
            System.out.println("quotas " + admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get().values());
            DescribeClusterResult cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
            System.out.println("operations " + new TreeSet<>(cluster.authorizedOperations().get()));
            System.out.println("topic operations " + new TreeSet<>(admin.describeTopics(List.of("java"), new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames().get().get("java").authorizedOperations()));
        }
        for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) {
            Properties p = as(mechanism, args[4], args[5]);
            try (KafkaProducer<String, String> producer = new KafkaProducer<>(p, new StringSerializer(), new StringSerializer())) {
                producer.send(new ProducerRecord<>("java", "k", mechanism)).get();
                try {
                    producer.send(new ProducerRecord<>("other", "k", "v")).get();
                } catch (Exception error) {
                    System.out.println("other " + failure(error));
                }
            }
            p.put("group.id", "java-" + mechanism);
            p.put("auto.offset.reset", "earliest");
            try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer())) {
                consumer.subscribe(List.of("java"));
                List<String> seen = new ArrayList<>();
                long end = System.currentTimeMillis() + 20_000;
                while (!seen.contains(mechanism) && System.currentTimeMillis() < end)
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) seen.add(record.value());
                System.out.println("read " + seen);
            }
        }
        try (Admin admin = Admin.create(as("SCRAM-SHA-256", "made", "of java"))) {
            System.out.println("made sees " + admin.listTopics().names().get());
            admin.describeAcls(AclBindingFilter.ANY).values().get();
        } catch (ExecutionException error) {
            System.out.println("made " + failure(error));
        }
        try (Admin admin = Admin.create(as("SCRAM-SHA-512", args[4], "guess"))) {
            admin.listTopics().names().get();
        } catch (ExecutionException error) {
            System.out.println("guess " + failure(error) + " " + error.getCause().getMessage());
        }
    }
}
