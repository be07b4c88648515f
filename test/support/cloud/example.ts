import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newProject } from './project.ts'

const CHECKOUT = join(import.meta.dirname, '../../..')

/**
 * Makes a folder the program of somebody else: the example, with the component as npm packs it and Pulumi's packages
 * where npm would install them. Its stack is `dev`.
 */
export function installExample(root: string): void {
  cpSync(join(CHECKOUT, 'examples/own-program'), root, { recursive: true })
  const packing = ['pack', '--silent', '--workspace', 'infra/component', '--pack-destination', root]
  const tarball = execFileSync('npm', packing, { cwd: newProject().root, encoding: 'utf8' }).trim()
  const installed = join(root, 'node_modules/@chronicle-sync/pulumi')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(root, tarball), '--strip-components=1', '-C', installed])
  for (const name of ['@pulumi', '@types', 'zod']) {
    symlinkSync(join(CHECKOUT, 'node_modules', name), join(root, 'node_modules', name))
  }
  writeFileSync(join(root, 'Pulumi.dev.yaml'), 'config:\n  notes-app:hostname: sync.example.com\n')
}
