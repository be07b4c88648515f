import type { BundledPackage } from './packages.ts'

/** So much that a use more or less of a package does not show. */
const STEP_KB = 10

/** The text of docs/dependencies.md. */
export function describeBundle(packages: readonly BundledPackage[]): string {
  const rows = packages.map(({ name, version, licence, bytes }) => [
    `\`${name}\``,
    version,
    licence ?? 'none',
    `under ${STEP_KB * Math.ceil(bytes / 1000 / STEP_KB)} kB`,
  ])
  return [
    '# What ships with the Worker',
    '',
    'The packages in the bundle, beside our own sources. Nothing else of `node_modules` reaches your account. `npm run fix`',
    'writes this file; `npm run build` says the bytes. All are under permissive licences. So is what is only installed, or',
    '`infra/dependencies/licences.ts` says why not: a test checks both.',
    '',
    ...[['package', 'version', 'licence', 'minified'], ['---', '---', '---', '---'], ...rows].map(
      (cells) => `| ${cells.join(' | ')} |`,
    ),
    '',
  ].join('\n')
}
