// Writes `frames.txt`: message bodies as Kafka's own client library encodes them.
//
// Usage: java -cp "LIBS/*" Frames.java [--check]
//   LIBS holds org.apache.kafka:kafka-clients:4.3.0 and com.fasterxml.jackson.core:jackson-databind.
//   Without --check the file beside this program is written; with it, a difference is exit code 1.
//
// For every API and version that `schema.txt` lists there are two bodies: "full", in which every
// field holds a value of its own, and "bare", in which whatever may be null is null, arrays are
// empty and tagged fields are at their defaults. One line a body: message, version, which, hex.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

public class Frames {
    static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    static final ObjectMapper MAPPER = new ObjectMapper()
        .configure(com.fasterxml.jackson.core.JsonParser.Feature.ALLOW_COMMENTS, true);

    /** Counts the values given out, so that no two fields of a body hold the same. */
    static int counter;

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of("net/wire/tests/golden");
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("schema.txt"))) {
            if (line.startsWith(" ") || line.contains("key=-")) {
                continue;
            }
            String[] words = line.split(" ");
            short[] range = range(words[2].substring("versions=".length()));
            int last = line.endsWith(" unstable") ? range[1] - 1 : range[1];
            for (short version = range[0]; version <= last; version++) {
                lines.add(body(words[0], version, true));
                lines.add(body(words[0], version, false));
            }
        }
        String text = String.join("\n", lines) + "\n";
        Path target = folder.resolve("frames.txt");
        if (arguments.length == 0) {
            Files.writeString(target, text);
        } else if (!Files.readString(target).equals(text)) {
            System.err.println("frames.txt is not what this version of Kafka writes");
            System.exit(1);
        }
    }

    static String body(String name, short version, boolean full) throws Exception {
        JsonNode definition;
        try (InputStream stream = Message.class.getResourceAsStream("/common/message/" + name + ".json")) {
            definition = MAPPER.readTree(stream);
        }
        Map<String, JsonNode> structures = new HashMap<>();
        for (JsonNode structure : definition.path("commonStructs")) {
            structures.put(structure.get("name").asText(), structure.get("fields"));
        }
        counter = 0;
        ObjectNode values = fill(definition.get("fields"), structures, version, full);
        Class<?> converter = Class.forName("org.apache.kafka.common.message." + name + "DataJsonConverter");
        Message message = (Message) converter.getMethod("read", JsonNode.class, short.class)
            .invoke(null, values, version);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        String hex = HexFormat.of().formatHex(buffer.array());
        return name + " " + version + " " + (full ? "full" : "bare") + " " + hex;
    }

    static ObjectNode fill(JsonNode fields, Map<String, JsonNode> structures, short version, boolean full) {
        ObjectNode values = JSON.objectNode();
        for (JsonNode field : fields) {
            boolean tagged = field.has("tag");
            if (contains(field.get("versions").asText(), version) && (full || !tagged)) {
                String name = field.get("name").asText();
                String key = Character.toLowerCase(name.charAt(0)) + name.substring(1);
                values.set(key, value(field, structures, version, full));
            }
        }
        return values;
    }

    static JsonNode value(JsonNode field, Map<String, JsonNode> structures, short version, boolean full) {
        String type = field.get("type").asText();
        boolean nullable = contains(field.path("nullableVersions").asText("none"), version);
        if (!full && nullable) {
            return JSON.nullNode();
        }
        if (type.startsWith("[]")) {
            ArrayNode array = JSON.arrayNode();
            for (int count = 0; full && count < 2; count++) {
                array.add(single(field, type.substring(2), structures, version, full));
            }
            return array;
        }
        return single(field, type, structures, version, full);
    }

    static JsonNode single(JsonNode field, String type, Map<String, JsonNode> structures, short version, boolean full) {
        counter++;
        switch (type) {
            case "bool": return JSON.booleanNode(full);
            case "int8": return JSON.numberNode(counter % 128);
            case "int16": return JSON.numberNode(0x1000 + counter);
            case "uint16": return JSON.numberNode(0xf000 + counter);
            case "int32": return JSON.numberNode(0x10000000 + counter);
            case "int64": return JSON.numberNode(0x1000000000000000L + counter);
            case "uuid": return JSON.textNode(new Uuid(0x0123456789abcdefL, counter).toString());
            case "float64": return JSON.numberNode(counter + 0.5);
            case "string": return JSON.textNode(full ? "é" + counter : "");
            case "bytes":
            case "records": return JSON.binaryNode(new byte[] {7, 7, (byte) counter});
            default: break;
        }
        JsonNode fields = field.has("fields") ? field.get("fields") : structures.get(type);
        return fill(fields, structures, version, full);
    }

    static boolean contains(String versions, short version) {
        if (versions.equals("none")) {
            return false;
        }
        short[] range = range(versions);
        return range[0] <= version && version <= range[1];
    }

    static short[] range(String versions) {
        String[] ends = versions.replace("+", "-32767").split("-");
        return new short[] {Short.parseShort(ends[0]), Short.parseShort(ends[ends.length - 1])};
    }
}
