import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;

/** Reads {"reader","writer"} or {"schema"} one a line and answers what Avro says, one a line. */
public class Oracle {
  static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode question = JSON.readTree(line);
      ObjectNode answer = JSON.createObjectNode();
      if (question.has("schema")) describe(question.get("schema").textValue(), answer);
      else compare(question, answer);
      out.println(JSON.writeValueAsString(answer));
    }
    out.flush();
  }

  static void describe(String text, ObjectNode answer) {
    try {
      Schema schema = new Schema.Parser().parse(text);
      answer.put("canonical", schema.toString());
      answer.put("parsing", SchemaNormalization.toParsingForm(schema));
      answer.put("fingerprint", Long.toUnsignedString(SchemaNormalization.parsingFingerprint64(schema)));
    } catch (Exception | StackOverflowError error) {
      answer.put("refused", String.valueOf(error.getMessage()));
    }
  }

  static void compare(JsonNode question, ObjectNode answer) {
    try {
      Schema reader = new Schema.Parser().parse(question.get("reader").textValue());
      Schema writer = new Schema.Parser().parse(question.get("writer").textValue());
      var list = answer.putArray("incompatibilities");
      for (var found : SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult().getIncompatibilities()) {
        list.addObject().put("type", found.getType().name()).put("path", found.getLocation()).put("message", found.getMessage());
      }
    } catch (Exception error) {
      answer.removeAll();
      answer.put("thrown", String.valueOf(error.getMessage()));
    }
  }
}
