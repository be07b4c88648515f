import { RunError } from '@pulumi/pulumi/errors.js'
import type { Release } from './migrations.ts'

/** The live generations of the master key, the newest first, and the one that a sweep found all spaces sealed by. */
export interface MasterKeys {
  readonly masterKeys: readonly number[]
  readonly sweptMasterKey: number
}

/** What is known of the generations that were live before. */
export interface Before {
  /** Of the last good `up`; undefined before the first, or where it was lost. */
  readonly last: Partial<Release> | undefined
  /** Whether the account has the script, so that there may be data. */
  readonly isDeployed: boolean
}

/**
 * Refuses to take away a master key that data may be sealed with, and to make another one under the number of one that
 * was taken away. By the program itself, because not everybody runs the policies: what is lost here is lost for good.
 */
export function checkMasterKeys(now: MasterKeys, before: Before): void {
  const live = liveBefore(now, before)
  if (live === undefined) return
  const { masterKeys, sweptMasterKey } = now
  const newest = Math.max(...live)
  const written = `masterKeys is [${masterKeys.join(', ')}]`
  if (sweptMasterKey > newest) {
    throw new RunError(
      `sweptMasterKey is ${sweptMasterKey}, but master key ${newest} is the newest that was deployed: no sweep can have found spaces sealed by a later one. Deploy that first, then run npm run sweep`,
    )
  }
  const lost = live.filter((generation) => generation >= sweptMasterKey && !masterKeys.includes(generation))
  if (lost.length > 0) {
    const whole = [...new Set([...masterKeys, ...lost])].toSorted((a, b) => b - a)
    throw new RunError(
      `${written}, which takes away master key ${lost.join(', ')}: all data that it sealed could never be read again. Write masterKeys: [${whole.join(', ')}], deploy, and retire older ones when npm run sweep says so`,
    )
  }
  const returned = masterKeys.filter((generation) => generation < newest && !live.includes(generation))
  if (returned.length > 0) {
    throw new RunError(
      `${written}, but master key ${returned.join(', ')} was taken away, and what would be made under its number is another key that opens nothing: take it out. A new master key gets the number ${newest + 1}`,
    )
  }
}

/**
 * The generations that were live before; undefined where nothing was. Without a record of that, all up to the newest
 * may have been.
 */
function liveBefore(
  { masterKeys: [newest = 1] }: MasterKeys,
  { last, isDeployed }: Before,
): readonly number[] | undefined {
  // The first releases did not tell: they had the first key.
  if (last !== undefined) return last.masterKeys ?? [1]
  return isDeployed ? Array.from({ length: newest }, (_, index) => newest - index) : undefined
}
