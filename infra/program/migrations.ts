import { RunError } from '@pulumi/pulumi/errors.js'
import { DECLARATION_FILE, type DeclaredMigration } from './declaration.ts'

export interface MigrationStep {
  readonly newClasses?: string[]
  readonly newSqliteClasses?: string[]
  readonly renamedClasses?: { from: string; to: string }[]
  readonly deletedClasses?: string[]
}

/** The shape of `WorkersScript.migrations`. */
export interface Migrations {
  readonly oldTag?: string
  readonly newTag: string
  readonly steps: MigrationStep[]
}

/** The script as the account has it now. */
export interface DeployedScript {
  readonly migrationTag?: string
  readonly modifiedOn: string
}

/** The stack output `release` of the last successful `up`, which the next `up` and the policies read. */
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
  /** The number of the newest layout that spaces may be stored in; see layout.ts. */
  readonly layout: number
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
 * The steps after the deployed tag. All steps if nothing is deployed, undefined if the script is up to date. Throws a
 * RunError if the declaration does not list the deployed tag, because then this checkout is older than the script.
 */
export function pendingMigrations(
  declared: readonly DeclaredMigration[],
  deployed: DeployedScript | undefined,
): Migrations | undefined {
  const oldTag = deployed?.migrationTag || undefined
  const applied = oldTag === undefined ? 0 : declared.findIndex(({ tag }) => tag === oldTag) + 1
  if (oldTag !== undefined && applied === 0) {
    throw new RunError(
      `the deployed script is at migration "${oldTag}", which ${DECLARATION_FILE} does not list: deploy a checkout that has it`,
    )
  }
  const newTag = declared.at(-1)?.tag
  if (newTag === undefined || applied === declared.length) return undefined
  return { ...(oldTag && { oldTag }), newTag, steps: declared.slice(applied).map(toStep) }
}

/**
 * True if neither the program nor anybody else has changed the script since the release. In this case the same
 * migrations must be registered again, or an `up` of an unchanged tree would show their removal as an update. They are
 * not sent again, because without a difference nothing is uploaded. In every other case the script is uploaded, and the
 * API would refuse old migrations (412, code 10079).
 */
export function isUntouched(
  release: Pick<Release, 'digest' | 'modifiedOn'>,
  digest: string,
  deployed: DeployedScript,
): boolean {
  return release.digest === digest && toSecond(release.modifiedOn) === toSecond(deployed.modifiedOn)
}

/** Truncates to seconds: the list of scripts has whole seconds, the reply to an upload may have fractions. */
function toSecond(time: string): number {
  return Math.floor(Date.parse(time) / 1000)
}

function toStep(declared: DeclaredMigration): MigrationStep {
  return {
    ...(declared.new_classes && { newClasses: declared.new_classes }),
    ...(declared.new_sqlite_classes && { newSqliteClasses: declared.new_sqlite_classes }),
    ...(declared.renamed_classes && { renamedClasses: declared.renamed_classes }),
    ...(declared.deleted_classes && { deletedClasses: declared.deleted_classes }),
  }
}
