/** A value that changes. Fits `useSyncExternalStore` of React, and stores of Svelte and Vue. */
export interface Readable<T> {
  /** Calls back with each new value. Returns a function that ends this. */
  subscribe(listener: (value: T) => void): () => void
  /** Returns the same object until the value changes. */
  getSnapshot(): T
}

/** Calls each listener. An exception of one is an error of the page, and keeps nobody else from hearing. */
export function notify<T>(listeners: Iterable<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(value)
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown
      })
    }
  }
}

/** Readable value that its owner sets. */
export class Variable<T> implements Readable<T> {
  #value: T
  readonly #listeners = new Set<(value: T) => void>()

  constructor(value: T) {
    this.#value = value
  }

  readonly subscribe = (listener: (value: T) => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  readonly getSnapshot = (): T => this.#value

  set(value: T): void {
    this.#value = value
    notify(this.#listeners, value)
  }
}
