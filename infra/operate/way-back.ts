import { UserError } from '../cli/user-error.ts'
import { DECLARATION_FILE } from '../component/declaration.ts'
import { parseDeclaration } from '../program/declaration.ts'
import { findLayoutFile, LAYOUT_FOLDER, parseLayout } from '../program/layout.ts'
import { git, isSame, short } from './commits.ts'

/** Tables of the commits without a layout number, with the same path in all of them. Equal files mean equal layouts. */
const TABLES_FILE = 'worker/src/objects/tables.ts'

/** Refuses a commit that does not know the last migration of the deployed commit. */
export function checkMigrations(root: string, from: string, to: string): void {
  const deployed = tagsOf(root, from).at(-1)
  if (deployed === undefined || tagsOf(root, to).includes(deployed)) return
  throw new UserError(
    `the migration "${deployed}" lies between ${short(to)} and ${short(from)}, and Durable Object classes cannot go back. Fix it forward`,
  )
}

/** The component whose name begins the names of all resources of the stack. */
const COMPONENT_FILE = 'infra/component/chronicle-sync.ts'

/**
 * Refuses a commit from before the component. The aliases of the resources lead only forward: that commit would register
 * the same namespace and script again, beside those of the stack.
 */
export function checkNames(root: string, from: string, to: string): void {
  if (!hasComponent(root, from) || hasComponent(root, to)) return
  throw new UserError(
    `${short(to)} is from before the component ChronicleSync and knows the resources by other names, so it would make them again. Fix it forward`,
  )
}

/** Refuses a commit that cannot read the spaces as the deployed commit stores them. */
export function checkLayouts(root: string, from: string, to: string): void {
  const [older, newer] = [layoutOf(root, to), layoutOf(root, from)]
  const isReadable =
    older === undefined ? newer === undefined && isSame(root, [to, from], TABLES_FILE) : older >= (newer ?? 0)
  if (isReadable) return
  throw new UserError(
    `spaces are stored in another form by ${short(from)} (${describe(newer)}) than by ${short(to)} (${describe(older)}), which cannot read it. Fix it forward`,
  )
}

/** Returns the layout number of a commit, or undefined for a commit from before layouts had numbers. */
export function layoutOf(root: string, commit: string): number | undefined {
  const paths = git(root, 'ls-tree', '-r', '--name-only', commit, '--', LAYOUT_FOLDER).split('\n')
  const file = findLayoutFile(paths)
  return file === undefined ? undefined : parseLayout(git(root, 'show', `${commit}:${file}`))
}

function hasComponent(root: string, commit: string): boolean {
  return git(root, 'ls-tree', '--name-only', commit, '--', COMPONENT_FILE) !== ''
}

function tagsOf(root: string, commit: string): readonly string[] {
  const text = git(root, 'show', `${commit}:${DECLARATION_FILE}`)
  return parseDeclaration(text).migrations.map(({ tag }) => tag)
}

function describe(layout: number | undefined): string {
  return layout === undefined ? 'layout without a number' : `layout ${layout}`
}
