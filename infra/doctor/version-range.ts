/** Whether a version lies in a range as package.json's `engines` has it: `>=22.18 || (>=20 <21)`. */
export function isInRange(version: string, range: string): boolean {
  return range.split('||').some((part) => {
    const bounds = part.match(/(>=|<)\s*[\d.]+/g) ?? []
    return bounds.every((bound) => keeps(version, bound))
  })
}

/** Negative if `a` is the older one; what follows a hyphen or a plus is left out. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)]
  const differing = [0, 1, 2].find((index) => left[index] !== right[index]) ?? 0
  return (left[differing] ?? 0) - (right[differing] ?? 0)
}

function keeps(version: string, bound: string): boolean {
  const order = compareVersions(version, bound.replace(/^\D+/, ''))
  return bound.startsWith('>=') ? order >= 0 : order < 0
}

function numbersOf(version: string): readonly number[] {
  const [digits = ''] = version.replace(/^v/, '').split(/[-+]/)
  const parts = digits.split('.').map(Number)
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0]
}
