import { RunError } from '@pulumi/pulumi/errors.js'
import { DECLARATION_FILE, type Declaration, type DeclaredMigration } from './declaration.ts'
import type { Lost } from './release.ts'

/**
 * Checks migrations, bindings and the exports of the bundle against each other, before anything is changed. The API
 * finds such a mistake only in the upload, after earlier resources have changed. Throws a RunError of one line.
 */
export function checkClasses(declaration: Declaration, exported: readonly string[]): void {
  const { migrations, durable_objects } = declaration
  checkTags(migrations.map(({ tag }) => tag))
  const living = classesAfter(migrations)
  for (const name of living) {
    if (exported.includes(name)) continue
    throw mistake(
      `makes the class ${name}, but worker/${declaration.main} does not export it. Export it there. If it was renamed, add a [[migrations]] entry with a new tag and renamed_classes = [{ from = "${name}", to = "..." }], which keeps its data. Remove it from its migration only if it was never deployed`,
    )
  }
  for (const { name, class_name } of durable_objects.bindings) {
    if (living.includes(class_name)) continue
    throw mistake(
      `binds ${name} to the class ${class_name}, which no migration makes. Add a [[migrations]] entry with a new tag and new_sqlite_classes = ["${class_name}"]`,
    )
  }
}

/** The classes of a deployed script that the steps after its tag delete, with all data of their objects. */
export function deletedSince(
  migrations: readonly DeclaredMigration[],
  tag: string | undefined,
): Pick<Lost, 'classes'> {
  const applied = migrations.findIndex((migration) => migration.tag === tag) + 1
  let doomed: readonly string[] = []
  const living = new Map(classesAfter(migrations.slice(0, applied)).map((name) => [name, name]))
  for (const { renamed_classes = [], deleted_classes = [] } of migrations.slice(applied)) {
    for (const { from, to } of renamed_classes) move(living, from, to)
    doomed = [...doomed, ...deleted_classes.flatMap((name) => living.get(name) ?? [])]
    for (const name of deleted_classes) living.delete(name)
  }
  return doomed.length > 0 ? { classes: doomed } : {}
}

function move(living: Map<string, string>, from: string, to: string): void {
  const deployedName = living.get(from)
  if (deployedName === undefined) return
  living.delete(from)
  living.set(to, deployedName)
}

function checkTags(tags: readonly string[]): void {
  const repeated = tags.find((tag, index) => tags.indexOf(tag) !== index)
  if (repeated === undefined) return
  throw mistake(
    `has the migration tag "${repeated}" twice. Give the new step a tag that no other step has, and leave deployed steps as they are`,
  )
}

/** The classes that exist after all steps. */
function classesAfter(migrations: readonly DeclaredMigration[]): readonly string[] {
  const living = new Set<string>()
  for (const migration of migrations) apply(migration, living)
  return [...living]
}

function apply(migration: DeclaredMigration, living: Set<string>): void {
  const { tag, new_classes = [], new_sqlite_classes = [] } = migration
  for (const name of [...new_classes, ...new_sqlite_classes]) make(living, name, tag)
  for (const { from, to } of migration.renamed_classes ?? []) {
    take(living, from, `migration "${tag}" renames`)
    make(living, to, tag)
  }
  for (const name of migration.deleted_classes ?? []) take(living, name, `migration "${tag}" deletes`)
}

function make(living: Set<string>, name: string, tag: string): void {
  if (living.has(name)) {
    throw mistake(
      `makes the class ${name} again in migration "${tag}". A class is made once: remove it there`,
    )
  }
  living.add(name)
}

function take(living: Set<string>, name: string, act: string): void {
  if (living.delete(name)) return
  throw mistake(
    `is wrong: ${act} the class ${name}, which no step before it makes. Write the name that the class has then`,
  )
}

function mistake(text: string): RunError {
  return new RunError(`${DECLARATION_FILE} ${text}`)
}
