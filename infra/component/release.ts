import { RunError } from '@pulumi/pulumi/errors.js'
import type { DeployedScript, Migrations } from './migrations.ts'

/** The record of a successful `up`: the component's output `release`, which the next `up` and the policies read. */
export interface Release {
  /** The digest of all inputs of the script except its migrations. */
  readonly digest: string
  readonly migrations?: Migrations | undefined
  readonly modifiedOn: string
  /** The migration tag that the script had when `migrations` were chosen. */
  readonly from: string
  readonly jurisdiction: string
  /** The live generations of the master key. */
  readonly masterKeys: readonly number[]
  /** Set by the operator after a sweep: master keys below this generation seal nothing any more. */
  readonly sweptMasterKey: number
  /** The number of the newest layout that spaces may be stored in. */
  readonly layout: number
  /** The size of the script. Previews compare it. */
  readonly scriptBytes: number
  /** The things that this release wrongly takes away. Policies see nothing else of the release before. */
  readonly lost: Lost
}

export interface Lost {
  /** The jurisdiction in which the data lies. */
  readonly jurisdiction?: string
  readonly masterKeys?: readonly number[]
  /** Durable Object classes that this release deletes, with all data of their objects. */
  readonly classes?: readonly string[]
}

/** Compares a release with the last one. The result is empty unless the release takes something away. */
export function lostSince(
  last: Partial<Release> | undefined,
  now: Pick<Release, 'jurisdiction' | 'masterKeys' | 'sweptMasterKey'>,
): Lost {
  // The first releases recorded neither: they had no jurisdiction, and the first key.
  const { jurisdiction = 'none', masterKeys = [1] } = last ?? now
  const needed = masterKeys.filter((generation) => generation >= now.sweptMasterKey)
  const lost = needed.filter((generation) => !now.masterKeys.includes(generation))
  return {
    ...(jurisdiction !== now.jurisdiction && { jurisdiction }),
    ...(lost.length > 0 && { masterKeys: lost }),
  }
}

/**
 * True if neither the program nor anybody else has changed the script since the release. In this case the same
 * migrations must be registered again, or an `up` of an unchanged tree would show their removal as an update. They are
 * not sent again, because without a difference nothing is uploaded. In every other case the script is uploaded, and the
 * API would refuse old migrations (412, code 10079).
 */
export function isUntouched(
  { digest: recorded, modifiedOn }: Partial<Release>,
  digest: string,
  deployed: DeployedScript,
): boolean {
  return recorded === digest && toSecond(modifiedOn ?? '') === toSecond(deployed.modifiedOn)
}

/** Says that the script was deleted, uploaded or changed since the release, by anything but a successful `up`. */
export function changedSince(
  { modifiedOn }: Partial<Release>,
  deployed: DeployedScript | undefined,
  scriptName: string,
): string | undefined {
  if (deployed === undefined)
    return `the script ${scriptName}, which this stack has deployed, is not in the account: somebody deleted it, and its objects with all data. Deploy with --refresh, because otherwise the new script has no workers.dev address or domain. Then restore a backup`
  if (modifiedOn === undefined || toSecond(modifiedOn) === toSecond(deployed.modifiedOn)) return undefined
  return `the script ${scriptName} was last changed at ${deployed.modifiedOn}, and the last successful deployment of this stack was at ${modifiedOn}. Somebody changed it in another way, or a deployment failed halfway. The next upload overwrites that change. See it first with pulumi preview --refresh --diff`
}

/** Truncates to seconds: the list of scripts has whole seconds, the reply to an upload may have fractions. */
function toSecond(time: string): number {
  return Math.floor(Date.parse(time) / 1000)
}

/** Refuses to deploy a version that writes an older layout than the version before may have written. */
export function checkLayout(last: Partial<Release> | undefined, layout: number): void {
  const { layout: newest = 0 } = last ?? {}
  if (newest <= layout) return
  throw new RunError(
    `this version stores spaces in layout ${layout}, and the last one that served this stack in layout ${newest}, which this one cannot read. Deploy that version or a newer one`,
  )
}
