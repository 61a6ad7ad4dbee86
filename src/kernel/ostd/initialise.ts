/** Runs the initialisers of all modules; to be called once, as soon as there is a stack.
 * @extern palindrome_initialise */
export declare function initialiseModules(): void;
