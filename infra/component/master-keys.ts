import { RunError } from '@pulumi/pulumi/errors.js'
import type { Release } from './release.ts'

/** The live generations of the master key, newest first, and the generation that a sweep found sealing all spaces. */
export interface MasterKeys {
  readonly masterKeys: readonly number[]
  readonly sweptMasterKey: number
}

/** The program's knowledge of the generations that were live before. */
export interface LiveBefore {
  /** The record of the last successful `up`; undefined before the first, or if it was lost. */
  readonly last: Partial<Release> | undefined
  /** Whether the account has the script. If it has, there may be data. */
  readonly isDeployed: boolean
}

/**
 * Refuses to remove a master key that data may be sealed with, and to create a different key under the number of a
 * removed one. The program checks this itself, because not everybody runs the policies and lost data stays lost.
 */
export function checkMasterKeys(now: MasterKeys, before: LiveBefore): void {
  const live = liveBefore(now, before)
  if (live === undefined) return
  const { masterKeys, sweptMasterKey } = now
  const newest = Math.max(...live)
  const written = `masterKeys is [${masterKeys.join(', ')}]`
  if (sweptMasterKey > newest) {
    throw new RunError(
      `sweptMasterKey is ${sweptMasterKey}, but master key ${newest} is the newest that was deployed, so no sweep can have found spaces sealed by a later one. Deploy the later key first, then run npm run sweep`,
    )
  }
  const lost = live.filter((generation) => generation >= sweptMasterKey && !masterKeys.includes(generation))
  if (lost.length > 0) {
    const whole = [...new Set([...masterKeys, ...lost])].toSorted((a, b) => b - a)
    throw new RunError(
      `${written}, which takes away master key ${lost.join(', ')}: all data that it sealed could never be read again. Write masterKeys: [${whole.join(', ')}], deploy, and retire older keys when npm run sweep says so`,
    )
  }
  const returned = masterKeys.filter((generation) => generation < newest && !live.includes(generation))
  if (returned.length > 0) {
    throw new RunError(
      `${written}, but master key ${returned.join(', ')} was taken away, and a key made under its number now would be a different one that opens nothing. Remove it from the list. A new master key gets the number ${newest + 1}`,
    )
  }
}

/**
 * The generations that were live before; undefined if nothing was deployed. Without a record, every generation up to the
 * newest may have been live.
 */
function liveBefore(
  { masterKeys: [newest = 1] }: MasterKeys,
  { last, isDeployed }: LiveBefore,
): readonly number[] | undefined {
  // The first releases recorded no generations. They had the first key.
  if (last !== undefined) return last.masterKeys ?? [1]
  return isDeployed ? Array.from({ length: newest }, (_, index) => newest - index) : undefined
}
