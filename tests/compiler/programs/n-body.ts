/** Three bodies under gravity. */
import { print, printFixed } from 'palindrome/program';

class Body {
  x = 0.0;
  y = 0.0;
  vx = 0.0;
  vy = 0.0;
  mass = 1.0;
}
const bodies = array(3, () => new Body());
bodies[1].x = 1.0;
bodies[1].vy = 1.0;
bodies[1].mass = 0.001;
bodies[2].x = -2.0;
bodies[2].vy = -0.7;
bodies[2].mass = 0.002;

function advance(dt: f64): void {
  for (let i = 0; i < bodies.length; i++) {
    const a = bodies[i];
    for (let j = i + 1; j < bodies.length; j++) {
      const b = bodies[j];
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      const d2 = dx * dx + dy * dy;
      const force = dt / (d2 * Math.sqrt(d2));
      a.vx -= dx * b.mass * force;
      a.vy -= dy * b.mass * force;
      b.vx += dx * a.mass * force;
      b.vy += dy * a.mass * force;
    }
  }
  for (const b of bodies) {
    b.x += b.vx * dt;
    b.y += b.vy * dt;
  }
}
for (let i = 0; i < 500; i++) advance(0.01);
for (const b of bodies) {
  printFixed(b.x, 9);
  print(' ');
  printFixed(b.y, 9);
  print('\n');
}
