import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;

/**
 * Reads messages with Apache Kafka's own classes: each line of the input is `Name version hex`, and each line of the output
 * `hex json`, the bytes that Kafka writes for what it read and the message as Kafka shows it; or `error`, and why. A line of a
 * name alone is answered by Kafka's definition of that message.
 */
public class KafkaMessages {
  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = line.split(" ", -1);
      if (parts.length == 1) out.println(definition(parts[0]));
      else out.println(answer(parts[0], Short.parseShort(parts[1]), HexFormat.of().parseHex(parts[2])));
    }
    out.flush();
  }

  private static JsonNode definition(String name) throws IOException {
    ObjectMapper mapper = new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);
    try (InputStream text = Message.class.getResourceAsStream("/common/message/" + name + ".json")) {
      return mapper.readTree(text);
    }
  }

  private static String answer(String name, short version, byte[] bytes) {
    try {
      String type = "org.apache.kafka.common.message." + name + "Data";
      Message message = (Message) Class.forName(type).getConstructor().newInstance();
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      message.read(new ByteBufferAccessor(buffer), version);
      if (buffer.hasRemaining()) return "error " + buffer.remaining() + " bytes were left over";
      String written = HexFormat.of().formatHex(MessageUtil.toByteBufferAccessor(message, version).buffer().array());
      return written + " " + json(type, message, version);
    } catch (ReflectiveOperationException | RuntimeException error) {
      return "error " + String.valueOf(error).replace('\n', ' ');
    }
  }

  private static JsonNode json(String type, Message message, short version) throws ReflectiveOperationException {
    Method write = Class.forName(type + "JsonConverter").getMethod("write", Class.forName(type), short.class);
    return (JsonNode) write.invoke(null, message, version);
  }
}
