/** JSON Schemas of what goes in and out; requests are checked by them, and the document shows them. */

export type JsonSchema = Readonly<Record<string, unknown>>;

export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return { type: 'object', additionalProperties: false, properties, required };
}

function list(items: JsonSchema, maxItems: number): JsonSchema {
  return { type: 'array', items, maxItems };
}

function orNull(schema: JsonSchema): JsonSchema {
  return { ...schema, type: [schema['type'], 'null'] };
}

const identity: JsonSchema = { type: 'string', minLength: 1, maxLength: 1024 };
const boolean: JsonSchema = { type: 'boolean' };
const count: JsonSchema = { type: 'integer', minimum: 0, maximum: 1_000_000_000 };
const octets: JsonSchema = { type: 'integer', minimum: 0, maximum: 1_000_000_000_000_000 };
const seconds: JsonSchema = { type: 'integer', minimum: 0, maximum: 4_294_967_295 };
const time: JsonSchema = { type: 'string', format: 'date-time' };
const text: JsonSchema = { type: 'string' };
const limitFields = {
  ...{ messages: count, octets, push: boolean },
  ...{ expiryDefault: seconds, expiryMax: seconds },
};

/** Changes: null takes away what an account has of its own. */
export const limitChanges = object(
  Object.fromEntries(Object.entries(limitFields).map(([name, one]) => [name, orNull(one)])),
);

export const limits = object(limitFields);

export const accountParams = object({ aor: identity }, ['aor']);

export const messageParams = object({ aor: identity, id: identity }, ['aor', 'id']);

export const callParams = object({ callId: identity }, ['callId']);

export const ladderQuery = object({ format: { enum: ['text', 'svg', 'json'] } });

export const pageQuery = object({
  after: identity,
  limit: { type: 'string', pattern: '^[1-9][0-9]{0,3}$' },
});

export const serialPageQuery = object({
  after: { type: 'string', pattern: '^[0-9]{1,15}$' },
  limit: { type: 'string', pattern: '^[1-9][0-9]{0,3}$' },
});

export const deletionQuery = object({ all: { const: 'true' } });

export const deletionBody = object({ ids: list(identity, 1_000) }, ['ids']);

export const accountBody = object({ identities: list(identity, 1_000), disabled: boolean, limits });

export const accountChanges = object({
  identities: list(identity, 1_000),
  disabled: boolean,
  limits: limitChanges,
});

export const settings = object({ offlineDelivery: orNull(boolean) });

export const account = object(
  {
    ...{ account: text, provisioned: boolean, disabled: boolean, identities: list(text, 1_000) },
    ...{
      limits,
      messages: count,
      unread: count,
      octets,
      oldestAt: time,
      available: boolean,
      paused: boolean,
    },
    ...{ settings, historyVersion: text },
  },
  ['account', 'provisioned', 'disabled', 'messages', 'unread', 'octets', 'available'],
);

export const accountList = object(
  {
    accounts: list(
      object({ account: text, provisioned: boolean, disabled: boolean }, ['account']),
      1_000,
    ),
    next: text,
  },
  ['accounts'],
);

export const message = object(
  {
    ...{ id: text, serial: octets, size: octets, receivedAt: time, expiresAt: time },
    ...{ date: time, from: text, to: text, subject: text, authId: text },
  },
  ['id', 'serial', 'size', 'receivedAt', 'from', 'to'],
);

export const messageList = object({ messages: list(message, 1_000), next: text }, ['messages']);

export const deleted = object({ deleted: count }, ['deleted']);

export const exportQuery = object({ after: { type: 'string', pattern: '^[0-9]{1,15}$' } });

export const imported = object({ accounts: count, kept: count, known: count }, ['kept', 'known']);

export const removalQuery = object({ moved: { const: 'true' } });

export const paused = object({ paused: boolean }, ['paused']);

export const requeued = object({ requeued: boolean }, ['requeued']);

export const draining = object({ draining: boolean }, ['draining']);

export const push = object({ outcome: { enum: ['pushing', 'nothing'] } }, ['outcome']);

export const problem = object(
  { type: text, title: text, status: count, code: text, detail: text },
  ['type', 'title', 'status', 'code'],
);

export const status = object({ status: text }, ['status']);
