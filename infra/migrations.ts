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
  /** The last declared migration: what the deployed script is at. */
  readonly tag: string
  readonly jurisdiction: string
  /** The live generations of the master key. */
  readonly masterKeys: readonly number[]
}

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
