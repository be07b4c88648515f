/** Returns the JSON text of an object with one more field: an array whose items are already JSON texts. */
export function withTexts(fields: object, name: string, texts: readonly string[]): string {
  const text = JSON.stringify(fields)
  const separator = text.length > 2 ? ',' : ''
  return `${text.slice(0, -1)}${separator}${JSON.stringify(name)}:[${texts.join(',')}]}`
}

/** A reply with its entity tag. The text is null if the reader already has it. */
export interface Tagged {
  readonly tag: string
  readonly text: string | null
}
