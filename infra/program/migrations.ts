import { RunError } from '@pulumi/pulumi/errors.js'
import { DECLARATION_FILE, type DeclaredMigration } from './declaration.ts'

export interface MigrationStep {
  readonly newClasses?: string[]
  readonly newSqliteClasses?: string[]
  readonly renamedClasses?: { from: string; to: string }[]
  readonly deletedClasses?: string[]
}

/** What `WorkersScript.migrations` takes. */
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

/** What the last good `up` left behind as the stack output `release`, for the next one and for the policies. */
export interface Release {
  /** Over all inputs of the script but its migrations. */
  readonly digest: string
  readonly migrations?: Migrations | undefined
  readonly modifiedOn: string
  /** The migration tag that the script had when `migrations` were decided. */
  readonly from: string
  readonly jurisdiction: string
  /** The live generations of the master key. */
  readonly masterKeys: readonly number[]
  /** Master keys below it seal nothing any more, as the operator has said after a sweep. */
  readonly sweptMasterKey: number
  /** The number of the stored form that spaces may be in since; see layout.ts. */
  readonly layout: number
  /** What it takes away from the release before it, and must not: a policy sees no other trace of that one. */
  readonly lost: Lost
}

export interface Lost {
  /** The jurisdiction in which the data lies. */
  readonly jurisdiction?: string
  readonly masterKeys?: readonly number[]
}

/** What a release would take away from the last one. Empty for one that is as it should be. */
export function lostSince(last: Partial<Release> | undefined, now: Kept): Lost {
  // The first releases did not tell where they were: nowhere in particular, with the first key.
  const { jurisdiction = 'none', masterKeys = [1] } = last ?? now
  const needed = masterKeys.filter((generation) => generation >= now.sweptMasterKey)
  const lost = needed.filter((generation) => !now.masterKeys.includes(generation))
  return {
    ...(jurisdiction !== now.jurisdiction && { jurisdiction }),
    ...(lost.length > 0 && { masterKeys: lost }),
  }
}

type Kept = Pick<Release, 'jurisdiction' | 'masterKeys' | 'sweptMasterKey'>

/**
 * The steps after the deployed tag: all when nothing is deployed, undefined when up to date. A tag that
 * the declaration does not list is a RunError: this checkout is older than what runs.
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
 * True when neither the program nor anyone else touched the script since the release. Then the same
 * migrations must be registered again, or the next `up` of an unchanged tree would show their removal
 * as an update. They are not sent again: nothing differs, so nothing is uploaded. In every other case
 * the script is uploaded, and old migrations with it would be refused (412, code 10079).
 */
export function isUntouched(
  release: Pick<Release, 'digest' | 'modifiedOn'>,
  digest: string,
  deployed: DeployedScript,
): boolean {
  return release.digest === digest && toSecond(release.modifiedOn) === toSecond(deployed.modifiedOn)
}

/** The list of scripts has whole seconds, the answer to an upload may have more. */
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
