/**
 * A volume given to the pod's group (`pkg/volume/volume_linux.go` SetVolumeOwnership): everything in it belongs to the
 * group, which may read it (and write it, where the volume is not read-only), and what is made in it later does too.
 */
import { chmod, lchown, lstat, readdir } from "node:fs/promises"
import { join } from "node:path"

const readWrite = 0o660
const readOnly = 0o440
/** More of directories. */
const search = 0o110
const setgid = 0o2000
const permissionBits = 0o7777

export const giveToGroup = async (path: string, group: number, isReadOnly: boolean): Promise<void> => {
  const info = await lstat(path)
  await lchown(path, info.uid, group)
  // The mode of a link is that of what it leads to, which may be anywhere.
  if (info.isSymbolicLink()) return
  const more = (isReadOnly ? readOnly : readWrite) | (info.isDirectory() ? search | setgid : 0)
  await chmod(path, (info.mode & permissionBits) | more)
  if (!info.isDirectory()) return
  for (const name of await readdir(path)) await giveToGroup(join(path, name), group, isReadOnly)
}
