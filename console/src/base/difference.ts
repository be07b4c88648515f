/** A field that differs: its JSON pointer, and its content in each value. Undefined is absent. */
export interface Difference {
  readonly pointer: string
  readonly contents: readonly unknown[]
}

/** Lists the fields in which values differ from the first one. A deleted value is undefined. */
export function differences(...values: readonly unknown[]): readonly Difference[] {
  return differencesAt('', values)
}

/** Looks into objects and lists that all values have at a place. Anything else differs as a whole. */
function differencesAt(pointer: string, contents: readonly unknown[]): readonly Difference[] {
  if (!contents.every(isRecord) && !contents.every(Array.isArray))
    return contents.every((content) => content === contents[0]) ? [] : [{ pointer, contents }]
  return namesIn(contents).flatMap((name) =>
    differencesAt(
      `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      contents.map((content) => fieldOf(content, name)),
    ),
  )
}

/**
 * Puts the edits that led from one value to another on top of what somebody else has made of the first one. A field
 * that both have changed keeps the edit. A list is edited as a whole.
 */
export function rebased(first: unknown, edited: unknown, theirs: unknown): unknown {
  const values = [first, edited, theirs]
  if (!values.every(isRecord)) return differences(first, edited).length === 0 ? theirs : edited
  const fields = namesIn([theirs, edited]).map((name) => {
    const [from, mine, other] = values.map((value) => fieldOf(value, name))
    return [name, rebased(from, mine, other)] as const
  })
  return Object.fromEntries(fields.filter(([, content]) => content !== undefined))
}

/** Writes a value for people. */
export function printed(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value, null, 2)
}

export function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function namesIn(values: readonly unknown[]): readonly string[] {
  return [...new Set(values.flatMap((value) => Object.keys(value as object)))]
}

/** The content of a field; undefined if it is absent, although every object inherits some. */
function fieldOf(value: unknown, name: string): unknown {
  return Object.hasOwn(value as object, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
