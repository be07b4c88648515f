import { readStackFiles } from '../../doctor/stack-file.ts'

/**
 * Whether the root of the host belongs to the stack. A route may leave it to another server, or with `routeRecord` to
 * none, which the platform answers with 522.
 */
export function servesRoot(root: string, name: string): boolean {
  const { project, config } = readStackFiles(root, name).stack
  const [hostname, route] = ['hostname', 'route'].map((key) => config[`${project}:${key}`])
  // A custom domain takes precedence in the url of the stack.
  return Boolean(hostname) || !route || /^[^/]*(\/\*?)?$/.test(route)
}
