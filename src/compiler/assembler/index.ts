/**
 * Intel-syntax assembly text → atoms (bytes, symbols, relocations), through the instruction table's encoder.
 * {@link assemble} makes a whole object from a text with sections; {@link assembleInline} the bytes of an `asm('…')` within a function.
 *
 * The syntax is GNU as with `.intel_syntax noprefix`: labels `name:`, `.Lname:` (not in the symbol table), `1:` with `1b` and `1f`; statements end
 * at a line's end or `;`; comments begin with `#` or `//`. Directives: `.code16 .code32 .code64 .text .data .bss .rodata .section .previous
 * .global .extern .type .size .equ .set .byte .short .long .quad .ascii .asciz .align .balign .p2align .zero .skip .rept .endr`.
 * A symbol in an operand is the memory there (`[rip + symbol]` relative, `[symbol]` absolute), `offset symbol` its address. A `.equ` constant
 * is a number wherever it stands. Beyond GNU as: memory without a size is accepted where only one size makes an instruction.
 */
export { assemble } from './assemble.ts';
export { AssemblyCache } from './cache.ts';
export { assembleInline, type InlineCode } from './inline.ts';
export { AssemblyError } from './problem.ts';
