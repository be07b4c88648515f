import diff from 'microdiff'

/** A field that differs: its JSON pointer, and its content in each value. Undefined is absent. */
export interface Difference {
  readonly pointer: string
  readonly contents: readonly unknown[]
}

/** Lists the fields in which values differ from the first one. A deleted value is undefined. */
export function differences(first: unknown, ...others: readonly unknown[]): readonly Difference[] {
  const values = [first, ...others]
  const paths = others.flatMap((other) => diff(rooted(first), rooted(other), { cyclesFix: false }))
  const pointers = new Map(paths.map(({ path }) => [pointerOf(path), path]))
  return [...pointers]
    .filter(([pointer]) => !hasAncestor(pointer, pointers))
    .map(([pointer, path]) => ({ pointer, contents: values.map((value) => contentAt({ value }, path)) }))
}

/** Writes a value for people. */
export function printed(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value, null, 2)
}

/** A value inside an object, because microdiff compares objects only. A deleted value leaves the object empty. */
function rooted(value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { value: bare(value) }
}

/** Copies objects without what every object inherits: to microdiff, a field `constructor` would be there already. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare)
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.create(null)
  for (const [name, content] of Object.entries(value)) copy[name] = bare(content)
  return copy
}

function pointerOf([, ...path]: readonly (string | number)[]): string {
  return path.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function hasAncestor(pointer: string, pointers: ReadonlyMap<string, unknown>): boolean {
  const names = pointer.split('/')
  return names.some((_name, count) => count > 0 && pointers.has(names.slice(0, count).join('/')))
}

function contentAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (parent, name) =>
      typeof parent === 'object' && parent !== null && Object.hasOwn(parent, name)
        ? (parent as Readonly<Record<string | number, unknown>>)[name]
        : undefined,
    value,
  )
}
