/** Where an address of rsync leads: a path of this machine, one behind ssh, or a module of a daemon. */
export type RsyncPlace =
  | { readonly kind: "local"; readonly address: string }
  | { readonly kind: "host"; readonly address: string; readonly host: string; readonly path: string }
  | { readonly kind: "daemon"; readonly address: string }

/** Reads `user@host:/path`, `rsync://host/module/path`, `host::module/path` or a path; throws a sentence when it is none. */
export const rsyncPlace = (address: string): RsyncPlace => {
  if (address === "" || address.startsWith("-") || /[\x00-\x1f]/.test(address)) {
    throw new Error("behind rsync: there is no place that rsync understands, such as user@host:/path")
  }
  if (/^rsync:\/\/[^/]+\/[^/]/.test(address)) return { kind: "daemon", address }
  if (address.startsWith("rsync://")) throw new Error("rsync://host is followed by the name of a module")
  const [, host, path] = /^((?:[^@/:]+@)?(?:\[[^\]/]+\]|[^/:@]+)):(.*)$/.exec(address) ?? []
  if (host === undefined || path === undefined) return { kind: "local", address }
  if (path.startsWith(":")) return { kind: "daemon", address }
  if (path === "") throw new Error("behind the host there is no path")
  return { kind: "host", address, host: host.replace(/[[\]]/g, ""), path }
}
