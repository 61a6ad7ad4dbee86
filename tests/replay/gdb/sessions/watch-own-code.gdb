# trace: odd
# A watchpoint on bytes of code.
watch *(int*)((char*)&patched + 1)
continue
continue
reverse-continue
reverse-continue
reverse-continue
# --------
(gdb) watch *(int*)((char*)&patched + 1)
Hardware watchpoint 1: *(int*)((char*)&patched + 1)
(gdb) continue

Hardware watchpoint 1: *(int*)((char*)&patched + 1)

Old value = 40
New value = 41
patched () at ./odd.s:64
64	  mov eax, 40
(gdb) continue

Hardware watchpoint 1: *(int*)((char*)&patched + 1)

Old value = 41
New value = 42
patched () at ./odd.s:64
64	  mov eax, 40
(gdb) reverse-continue

Hardware watchpoint 1: *(int*)((char*)&patched + 1)

Old value = 42
New value = 41
again () at ./odd.s:61
61	  inc dword ptr [rdi + 1]
(gdb) reverse-continue

Hardware watchpoint 1: *(int*)((char*)&patched + 1)

Old value = 41
New value = 40
again () at ./odd.s:61
61	  inc dword ptr [rdi + 1]
(gdb) reverse-continue

No more reverse-execution history.
pvh_start () at ./odd.s:6
6	  mov esp, offset stack_top
