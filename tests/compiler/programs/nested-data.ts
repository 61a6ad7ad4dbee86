/** Arrays of objects with arrays of objects. */
import { print, printNumber } from 'palindrome/program';

class Leaf {
  weight: u16 = 3;
}
class Branch {
  readonly leaves = array(4, () => new Leaf());
  total(): i32 {
    let sum = 0;
    for (const leaf of this.leaves) sum += leaf.weight;
    return sum;
  }
}
class Tree {
  readonly branches = array(3, () => new Branch());
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}
const trees: readonly Tree[] = [new Tree('oak'), new Tree('elm')];
trees[0].branches[1].leaves[2].weight = 100;
for (const tree of trees) {
  print(tree.name);
  for (const branch of tree.branches) {
    print(' ');
    printNumber(branch.total());
  }
  print('\n');
}
