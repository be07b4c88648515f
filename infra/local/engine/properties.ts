/** The key by which Pulumi's protocol, otherwise plain JSON, marks an object as a secret. */
const SIGNATURE_KEY = '4dabf18193072939515e22adb298388d'
const SECRET_SIGNATURE = '1b47061264138c4ac30d75fd1eb44270'

/** The placeholder of a preview for a value that only a run computes. */
export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'

export type Properties = Readonly<Record<string, unknown>>

export function secretOf(value: unknown): unknown {
  return isSecret(value) ? value : { [SIGNATURE_KEY]: SECRET_SIGNATURE, value }
}

export function isSecret(value: unknown): value is { readonly value: unknown } {
  return isObject(value) && value[SIGNATURE_KEY] === SECRET_SIGNATURE
}

/** Replaces secrets by their plain values. */
export function reveal(value: unknown): unknown {
  return mapSecrets(value, reveal)
}

/** Replaces secrets by `[secret]`. */
export function redact(value: unknown): unknown {
  return mapSecrets(value, () => '[secret]')
}

function mapSecrets(value: unknown, onSecret: (inner: unknown) => unknown): unknown {
  if (isSecret(value)) return onSecret(value.value)
  if (Array.isArray(value)) return value.map((item) => mapSecrets(item, onSecret))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapSecrets(inner, onSecret)]))
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
