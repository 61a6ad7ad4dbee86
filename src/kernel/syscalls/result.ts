/** What a system call leaves in RAX: a value, or a negative errno. */
export function failure(errno: i32): i64 {
  return -i64(errno);
}
