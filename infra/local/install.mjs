// Installs the locked packages if they are missing or outdated, so that every npm script works as the first command on
// a fresh clone. An argument names another folder with a lock file. Plain JavaScript, because it must run on any Node,
// before one that runs TypeScript is installed.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
const runsTypeScript = major > 22 || (major === 22 && minor >= 18)
const getsPinnedNode = major >= 20 && process.platform === 'linux' && process.arch === 'x64'

const folder = process.argv[2] ?? '.'

/** @param {string} file */
function modified(file) {
  return statSync(`${folder}/${file}`, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Runs no scripts of packages: none needs its own, and they would run with whatever the environment holds. */
function install() {
  const where = folder === '.' ? '' : ` of ${folder}`
  console.log(
    `Installing the locked packages${where} from npm (once, and whenever package-lock.json changes)`,
  )
  const npm = process.env.npm_execpath
  const command = npm ? [process.execPath, npm] : ['npm']
  const result = spawnSync(command[0], [...command.slice(1), 'ci', '--ignore-scripts', '--loglevel=error'], {
    stdio: 'inherit',
    cwd: folder,
  })
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
