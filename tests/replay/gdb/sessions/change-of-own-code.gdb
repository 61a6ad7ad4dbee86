# trace: odd
# Code that counts up its own operand: at each position it shows as it is then.
break patched
continue
x/i $rip
continue
x/i $rip
continue
x/i $rip
reverse-continue
x/i $rip
reverse-continue
x/i $rip
delete
reverse-stepi
x/2i $rip
stepi
x/i $rip
# --------
(gdb) break patched
Breakpoint 1 at 0x1000a5: file ./odd.s, line 64.
(gdb) continue

Breakpoint 1, patched () at ./odd.s:64
64	  mov eax, 40
(gdb) x/i $rip
=> 0x1000a5 <patched>:	mov    $0x29,%eax
(gdb) continue

Breakpoint 1, patched () at ./odd.s:64
64	  mov eax, 40
(gdb) x/i $rip
=> 0x1000a5 <patched>:	mov    $0x2a,%eax
(gdb) continue

Breakpoint 1, patched () at ./odd.s:64
64	  mov eax, 40
(gdb) x/i $rip
=> 0x1000a5 <patched>:	mov    $0x2b,%eax
(gdb) reverse-continue

Breakpoint 1, patched () at ./odd.s:64
64	  mov eax, 40
(gdb) x/i $rip
=> 0x1000a5 <patched>:	mov    $0x2a,%eax
(gdb) reverse-continue

Breakpoint 1, patched () at ./odd.s:64
64	  mov eax, 40
(gdb) x/i $rip
=> 0x1000a5 <patched>:	mov    $0x29,%eax
(gdb) delete
(gdb) reverse-stepi
again () at ./odd.s:61
61	  inc dword ptr [rdi + 1]
(gdb) x/2i $rip
=> 0x1000a2 <again>:	incl   0x1(%rdi)
   0x1000a5 <patched>:	mov    $0x28,%eax
(gdb) stepi
patched () at ./odd.s:64
64	  mov eax, 40
(gdb) x/i $rip
=> 0x1000a5 <patched>:	mov    $0x29,%eax
