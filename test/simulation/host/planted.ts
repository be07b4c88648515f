/** The planted bugs of a build. Bundled into it, so that each build has its own. */
type Planted = (original: Callable, ...args: unknown[]) => unknown
type Callable = (...args: unknown[]) => unknown

/** The planted bugs, by the name of the function that each replaces. */
export const planted = new Map<string, Planted>()

/** Calls the bug that is planted in place of a function, or the function. */
export function plantedAt(name: string): Planted {
  return (original, ...args) => {
    const wrong = planted.get(name)
    return wrong === undefined ? original(...args) : wrong(original, ...args)
  }
}
