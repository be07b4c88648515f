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

function toStep(declared: DeclaredMigration): MigrationStep {
  return {
    ...(declared.new_classes && { newClasses: declared.new_classes }),
    ...(declared.new_sqlite_classes && { newSqliteClasses: declared.new_sqlite_classes }),
    ...(declared.renamed_classes && { renamedClasses: declared.renamed_classes }),
    ...(declared.deleted_classes && { deletedClasses: declared.deleted_classes }),
  }
}
