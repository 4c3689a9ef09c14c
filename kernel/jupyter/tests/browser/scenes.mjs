// What looks.mjs takes pictures of, in the order in which a new user meets it.

const FRAME = `let frame = df!(
    "airport" => ["EWR", "JFK", "LGA", "EWR"],
    "delay_min" => [12.5, 3.0, 7.25, -2.0],
    "flights" => [52i64, 49, 61, 50],
)?;
let planes = vec!["A320", "B737"];`;

const close = async (sheet) => {
  await sheet.press('Escape');
  await sheet.write('');
};

export const scenes = [
  { name: 'first-cell', always: true, play: (sheet) => sheet.run(FRAME) },
  {
    name: 'completion-method',
    play: async (sheet) => {
      await sheet.write('planes.');
      await sheet.press('Tab');
      await sheet.see('.jp-Completer');
    },
    after: close,
  },
  {
    name: 'completion-column',
    play: async (sheet) => {
      await sheet.write('frame.clone().lazy().filter(col("');
      await sheet.press('Tab');
      await sheet.see('.jp-Completer');
    },
    after: close,
  },
  {
    name: 'completion-path',
    play: async (sheet) => {
      await sheet.write('Tumbling::');
      await sheet.press('Tab');
      await sheet.see('.jp-Completer');
    },
    after: close,
  },
  {
    name: 'tooltip-type',
    play: async (sheet) => {
      await sheet.write('Tumbling');
      await sheet.press('Shift+Tab');
      await sheet.see('.jp-Tooltip');
    },
    after: close,
  },
  {
    name: 'tooltip-variable',
    play: async (sheet) => {
      await sheet.write('frame');
      await sheet.press('Shift+Tab');
      await sheet.see('.jp-Tooltip');
    },
    after: close,
  },
  { name: 'table', play: (sheet) => sheet.run('frame') },
  {
    name: 'table-dark',
    play: async (sheet) => {
      await sheet.theme('JupyterLab Dark');
      await sheet.run('frame.clone().lazy().group_by([col("airport")]).agg([col("flights").sum()]).collect()?');
    },
  },
  {
    name: 'error-dark',
    play: (sheet) => sheet.run('let rows: i32 = frame.height();\nrows + 1'),
    after: (sheet) => sheet.theme('JupyterLab Light'),
  },
  { name: 'error-type', play: (sheet) => sheet.run('let rows: i32 = frame.height();\nrows + 1') },
  { name: 'error-name', play: (sheet) => sheet.run('let total = fame.height();') },
  { name: 'error-moved', play: (sheet) => sheet.run('let a = planes;\nprintln!("{}", planes.len());\na.len()') },
  { name: 'error-syntax', play: (sheet) => sheet.run('let x = (1 + 2;') },
  { name: 'error-trait', play: (sheet) => sheet.run('let total: i64 = frame.column("flights")?.iter().sum();') },
  { name: 'panic', play: (sheet) => sheet.run('let numbers = vec![1, 2, 3];\nlet at = 7;\nnumbers[at]') },
  { name: 'failing-question-mark', play: (sheet) => sheet.run('let fare: f64 = "twelve".parse()?;') },
  { name: 'unknown-column', play: (sheet) => sheet.run('frame.column("fare")?') },
  { name: 'vars', play: (sheet) => sheet.run(':vars') },
  { name: 'help', play: (sheet) => sheet.run(':help') },
  { name: 'unknown-command', play: (sheet) => sheet.run(':varz') },
  {
    name: 'interrupt',
    play: async (sheet) => {
      await sheet.run(
        'let cluster = Cluster::embedded()?;\nlet slow = cluster.topic("slow", partitions(1))?;\n' +
          'let replay = Replay::dataset("flights")?.event_time("sched_dep").between("2013-02-08", "2013-02-10").speed(1.0).start(&slow)?;',
      );
      await sheet.start('println!("waiting");\nreplay.wait()?;');
      await sheet.output();
      await sheet.interrupt();
      await sheet.idle();
    },
  },
  {
    name: 'flood',
    play: (sheet) => sheet.run('for line in 0..300_000 {\n    println!("line {line} of a flood");\n}'),
  },
  {
    name: 'endless-loop',
    play: async (sheet) => {
      await sheet.start('println!("round and round");\nloop {}');
      await sheet.output();
      await sheet.interrupt();
      await sheet.idle();
    },
  },
  { name: 'lost-variable', play: (sheet) => sheet.run('frame.height()') },
  { name: 'abort', play: (sheet) => sheet.run('let kept = 1;\nstd::process::abort();') },
  {
    name: 'input',
    play: async (sheet) => {
      await sheet.start('let mut name = String::new();\nprint!("your name: ");\nstd::io::stdin().read_line(&mut name)?;\nname');
      await sheet.see('.jp-Stdin-input');
    },
    after: async (sheet) => {
      await sheet.page.locator('.jp-Stdin-input').fill('Ada', { timeout: 2000 }).catch(() => {});
      await sheet.press('Enter');
    },
  },
];
