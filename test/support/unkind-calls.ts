import { vi } from 'vitest'

type Methods<T> = { [K in keyof T]: T[K] extends (...given: never[]) => unknown ? K : never }[keyof T]

/** Lets calls of a method fail while it lasts; with `where`, only those whose arguments it picks. */
export function failing<T extends object, M extends Methods<T> & string>(
  target: T,
  method: M,
  where: (...given: readonly unknown[]) => boolean = () => true,
): Disposable & { readonly calls: () => number } {
  const original = target[method] as (...given: readonly unknown[]) => unknown
  let calls = 0
  const spy = vi.spyOn(target, method as never) as unknown as {
    mockImplementation(work: (...given: readonly unknown[]) => unknown): void
    mockRestore(): void
  }
  spy.mockImplementation((...given) => {
    if (!where(...given)) return Reflect.apply(original, target, given)
    calls += 1
    throw new Error(`${method} is out of order`)
  })
  return { calls: () => calls, [Symbol.dispose]: () => spy.mockRestore() }
}
