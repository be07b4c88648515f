/** A value that changes. Fits `useSyncExternalStore` of React, and stores of Svelte and Vue. */
export interface Readable<T> {
  /** Calls back with each new value. Returns a function that ends this. */
  subscribe(listener: (value: T) => void): () => void
  /** Returns the same object until the value changes. */
  getSnapshot(): T
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
    for (const listener of [...this.#listeners]) listener(value)
  }
}
