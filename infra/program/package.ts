// `npm pack --workspace infra/component`: compiles the component, and puts the Worker of this checkout beside it.
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ROOT } from '../cli/root.ts'
import { ARTIFACT_FILE } from '../component/artifact.ts'
import { buildArtifact } from './artifact.ts'

const DIST = join(ROOT, 'infra/component/dist')
/** The folder that `readArtifact` reads. */
const ARTIFACT = join(DIST, 'artifact')

rmSync(DIST, { recursive: true, force: true })
execFileSync(
  process.execPath,
  [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'infra/tsconfig.package.json'],
  {
    cwd: ROOT,
    stdio: 'inherit',
  },
)
const artifact = await buildArtifact(ROOT)
const { contentFile, assets } = artifact
mkdirSync(ARTIFACT)
copyFileSync(join(ROOT, 'LICENSE'), join(DIST, 'LICENSE'))
copyFileSync(resolve(ROOT, 'infra', contentFile), join(ARTIFACT, 'worker.js'))
cpSync(resolve(ROOT, 'infra', assets.directory), join(ARTIFACT, 'assets'), { recursive: true })
const moved = { contentFile: 'worker.js', assets: { ...assets, directory: 'assets' } }
writeFileSync(join(ARTIFACT, ARTIFACT_FILE), JSON.stringify({ ...artifact, ...moved }))
