/** The JSON text of an object with one more field: an array whose items are JSON texts already. */
export function withTexts(fields: object, name: string, texts: readonly string[]): string {
  const text = JSON.stringify(fields)
  const separator = text.length > 2 ? ',' : ''
  return `${text.slice(0, -1)}${separator}${JSON.stringify(name)}:[${texts.join(',')}]}`
}

/** A reply under its entity tag; without a text where the reader has it already. */
export interface Tagged {
  readonly tag: string
  readonly text: string | null
}
