/** How often to look for the end of the parent, ms. */
const LOOK_MS = 500

/**
 * Calls `stop` once the shell of npm, which runs a script, has ended. `kill` of npm ends that shell, but a shell does not
 * pass the signal on, so the script would keep its port and its data.
 */
export function whenNpmEnds(stop: () => void): void {
  const parent = process.ppid
  if (process.env.npm_lifecycle_event === undefined) return
  const looking = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(looking)
    stop()
  }, LOOK_MS).unref()
}
