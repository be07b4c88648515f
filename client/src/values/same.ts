import type { Json } from './wire.ts'

/** Whether two values are the same JSON. The order of keys does not count. */
export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const names = Object.keys(one)
  if (names.length !== Object.keys(other).length) return false
  return names.every((name) => Object.hasOwn(other, name) && isSame(at(one, name), at(other, name)))
}

function at(value: object, name: string): Json | undefined {
  return (value as { readonly [name: string]: Json })[name]
}
