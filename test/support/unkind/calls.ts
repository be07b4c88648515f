import { vi } from 'vitest'

type Call = (...given: readonly unknown[]) => unknown
type Methods<T> = { [K in keyof T]: T[K] extends (...given: never[]) => unknown ? K : never }[keyof T]

/** Makes calls of a method fail until disposed. With `where`, only calls whose arguments it picks. */
export function failing<T extends object>(
  target: T,
  method: Methods<T> & string,
  where: (...given: readonly unknown[]) => boolean = () => true,
): Disposable & { readonly calls: () => number } {
  let calls = 0
  const ending = counting(target, method, (...given) => {
    if (!where(...given)) return
    calls += 1
    throw new Error(`${method} is out of order`)
  })
  return { ...ending, calls: () => calls }
}

/** Calls `before` with the arguments of each call of a method, until disposed. */
export function counting<T extends object>(
  target: T,
  method: Methods<T> & string,
  before: (...given: readonly unknown[]) => void,
): Disposable {
  const original = target[method] as Call
  const spy = vi.spyOn(target as Record<string, Call>, method)
  spy.mockImplementation((...given) => {
    before(...given)
    return Reflect.apply(original, target, given)
  })
  return { [Symbol.dispose]: () => spy.mockRestore() }
}
