/** Patterns of credentials and canaries. */
const PATTERNS: Readonly<Record<string, RegExp>> = {
  'API token': /chr_(?:dev|prod)_[A-Za-z0-9_-]{50}/,
  session: /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
  'admin token': /adm_(?:dev|prod)_\w+/,
  'master key': /bW1tbW1t[mtbW1=]*|m{32}/,
  'session key': /c3Nzc3Nz[c3Nz=]*|s{32}/,
  value: /canary-\w+/,
}

/** Secrets of started stacks. They are random, so no pattern matches them. */
const known = new Set<string>()

/** Registers texts as secrets. */
export function keepSecret(texts: readonly string[]): void {
  for (const text of texts) known.add(text)
}

/** Lists the kinds of secrets in a text. */
export function secretsIn(text: string): readonly string[] {
  const kinds = Object.keys(PATTERNS).filter((kind) => PATTERNS[kind]?.test(text))
  return [...known].some((secret) => text.includes(secret)) ? [...kinds, 'secret of a stack'] : kinds
}

/** Lists the kinds of credentials in a text. Leaves out canaries of values, which replies may hold. */
export function credentialsIn(text: string): readonly string[] {
  return secretsIn(text).filter((kind) => kind !== 'value')
}
