import { isList, textOf, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { badRequest, unsupportedMediaType } from '../status.ts';
import { MESSAGES, type MessageField, type MessageFields } from './messages.ts';
import { wireFields, type WireField } from './reader.ts';

// Four bytes begin every Kubernetes message: k, 8, s, 0.
const MAGIC = Buffer.from('k8s\0');

const text = new TextDecoder();

/**
 * An object out of Kubernetes' protobuf envelope, as JSON has it. Empty texts and zero numbers are left out unless they
 * say something. Throws a 415 for kinds that are not read this way, a 400 for what is no message.
 * Source: k8s.io/apimachinery/pkg/runtime/serializer/protobuf.
 */
export function decodeObject(bytes: Uint8Array): JsonObject {
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) throw badRequest('the body is no Kubernetes protobuf message');
  const envelope = [...wireFields(bytes.subarray(MAGIC.length))];
  const type = message(bytesOf(envelope, 1), { 1: ['apiVersion', { kind: 'text' }], 2: ['kind', { kind: 'text' }] });
  const [apiVersion, kind] = [textOf(type, 'apiVersion'), textOf(type, 'kind')];
  const fields = MESSAGES.get(`${apiVersion}/${kind}`);
  if (!fields) throw unsupportedMediaType(['application/json', 'application/yaml']);
  return { ...message(bytesOf(envelope, 2), fields), apiVersion, kind };
}

function bytesOf(fields: readonly WireField[], number: number): Uint8Array {
  const found = fields.findLast((field) => field.number === number);
  return found?.kind === 'bytes' ? found.value : new Uint8Array();
}

function message(bytes: Uint8Array, fields: MessageFields): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const wire of wireFields(bytes)) {
    const known = fields[wire.number];
    if (!known) continue;
    const [name, field] = known;
    if (field.kind === 'map') {
      result[name] = { ...(result[name] as JsonObject | undefined), ...mapEntry(wire) };
      continue;
    }
    const value = valueOf(wire, field);
    if (value === undefined) continue;
    const earlier = result[name];
    const repeated = 'repeated' in field && field.repeated;
    result[name] = repeated ? [...(isList(earlier) ? earlier : []), value] : value;
  }
  return result;
}

function valueOf(wire: WireField, field: MessageField): JsonValue | undefined {
  if (wire.kind === 'varint') {
    const number = Number(BigInt.asIntN(64, wire.value));
    if (field.kind === 'integer') return number === 0 && field.zero !== true ? undefined : number;
    if (field.kind === 'bool') return number === 0 && field.zero !== true ? undefined : number !== 0;
  }
  if (wire.kind !== 'bytes') return undefined;
  switch (field.kind) {
    case 'text': {
      const value = text.decode(wire.value);
      return value === '' && field.repeated !== true ? undefined : value;
    }
    case 'time':
      return timeOf(wire.value);
    case 'intOrText':
      return intOrText(wire.value);
    case 'message':
      return message(wire.value, field.fields);
    default:
      return undefined;
  }
}

function mapEntry(wire: WireField): JsonObject {
  if (wire.kind !== 'bytes') return {};
  const parts = [...wireFields(wire.value)];
  const key = text.decode(bytesOf(parts, 1));
  if (key === '__proto__') throw badRequest('the key "__proto__" is not allowed');
  return { [key]: text.decode(bytesOf(parts, 2)) };
}

function timeOf(bytes: Uint8Array): string | undefined {
  const seconds = [...wireFields(bytes)].find((field) => field.number === 1);
  if (seconds?.kind !== 'varint') return undefined;
  const ms = Number(BigInt.asIntN(64, seconds.value)) * 1000;
  // The zero time of Go is in the year 1.
  return ms <= 0 || ms > 8.64e15 ? undefined : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function intOrText(bytes: Uint8Array): JsonValue {
  const fields = [...wireFields(bytes)];
  const numberAt = (number: number): number => {
    const found = fields.find((field) => field.number === number);
    return found?.kind === 'varint' ? Number(BigInt.asIntN(64, found.value)) : 0;
  };
  return numberAt(1) === 1 ? text.decode(bytesOf(fields, 3)) : numberAt(2);
}
