/** The merge of docs/spec.md, written from PO3 and PO4: a field at a time, and nothing kept between. */
import type { Json } from '../../../worker/src/core/values/json.ts'
import { same } from './reference-space.ts'

type Fields = { readonly [key: string]: Json }

interface Sides<T> {
  readonly base: T | undefined
  readonly edit: T
  readonly head: T
}

/** What both sides made of a base, and the pointers of what clashed; null where a side is no object (PO5). */
export function mergeByRules(
  { base, edit, head }: Sides<Json>,
  editIsLater: boolean,
): { value: Json; paths: string[] } | null {
  if (!isObject(edit) || !isObject(head)) return null
  return mergeObjects({ base: isObject(base) ? base : {}, edit, head }, '')

  function mergeObjects(sides: Sides<Fields>, at: string): { value: Fields; paths: string[] } {
    const names = new Set([sides.base, sides.edit, sides.head].flatMap((side) => Object.keys(side ?? {})))
    const value: { [key: string]: Json } = {}
    const paths: string[] = []
    for (const name of names) {
      const field = mergeField(
        { base: sides.base?.[name], edit: sides.edit[name], head: sides.head[name] },
        `${at}/${name}`,
      )
      if (field.value !== undefined) value[name] = field.value
      paths.push(...field.paths)
    }
    return { value, paths }
  }

  function mergeField(
    { base, edit, head }: Sides<Json | undefined>,
    at: string,
  ): { value: Json | undefined; paths: string[] } {
    // PO3: objects within; a field that the base lacks and both made an object, too.
    if (isObject(edit) && isObject(head) && (base === undefined || isObject(base)))
      return mergeObjects({ base: base ?? {}, edit, head }, at)
    if (same(edit, base)) return { value: head, paths: [] }
    if (same(head, base) || same(edit, head)) return { value: edit, paths: [] }
    // PO4
    return { value: editIsLater ? edit : head, paths: [at] }
  }
}

function isObject(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
