// Makes sure that the locked packages are there, so that every npm script works as the first command
// on a fresh clone. Runs before TypeScript can: plain JavaScript, on the oldest Node that we meet.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
const runsTypeScript = major > 22 || (major === 22 && minor >= 18)
const getsPinnedNode = major >= 20 && process.platform === 'linux' && process.arch === 'x64'

/** @param {string} file */
function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function install() {
  console.log('Installing the locked packages from npm (once; again when package-lock.json changes)')
  const npm = process.env.npm_execpath
  const command = npm ? [process.execPath, npm] : ['npm']
  const result = spawnSync(command[0], [...command.slice(1), 'ci', '--loglevel=error'], { stdio: 'inherit' })
  return result.status ?? 1
}

if (!runsTypeScript && !getsPinnedNode) {
  const found = `${process.version} on ${process.platform} ${process.arch}`
  console.error(
    `ChronicleSync needs Node 22.18 or newer (found ${found}). Install it from nodejs.org and run this again.`,
  )
  process.exitCode = 1
} else if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  process.exitCode = install()
}
