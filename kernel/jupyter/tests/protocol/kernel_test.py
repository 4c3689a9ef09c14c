"""Jupyter's own test of a kernel, with everything enabled that a kernel can opt into."""

import sys
import unittest

import jupyter_kernel_test
from kernelspec import NAME


class Kernel(jupyter_kernel_test.KernelTests):
    kernel_name = NAME
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = 'println!("hello, world")'
    code_stderr = 'eprintln!("to stderr")'
    completion_samples = [
        {"text": "zebra_c", "matches": {"zebra_count"}},
        {"text": "1 + zebra_c", "matches": {"zebra_count"}},
        {"text": "print"},
    ]
    complete_code_samples = ["1 + 1", "let a = 1;", "fn f() {}", ":vars"]
    incomplete_code_samples = ["fn f() {", "let a = [1,", 'println!("a"']
    invalid_code_samples = ["let )", "fn f() }"]
    code_page_something = "?Tumbling"
    code_generate_error = 'panic!("on purpose")'
    code_execute_result = [
        {"code": "1 + 2 * 3", "result": "7"},
        {"code": '"ab".repeat(2)', "result": '"abab"'},
        {"code": "vec![1, 2]", "result": "[1, 2]"},
    ]
    code_display_data = [
        {"code": 'show_html("<b>bold</b>");', "mime": "text/html"},
        {"code": 'show_mime([("image/svg+xml", "<svg/>"), ("text/plain", "a picture")]);', "mime": "image/svg+xml"},
    ]
    code_history_pattern = "1?+ 2*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Tumbling"
    code_clear_output = "clear_output(false);"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reply = cls.kc.execute("let zebra_count = 3;", reply=True, timeout=60)
        assert reply["content"]["status"] == "ok", reply["content"]


class Welcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = NAME
    support_iopub_welcome = True


if __name__ == "__main__":
    ran = unittest.main(exit=False, verbosity=2).result
    if ran.skipped:
        print("skipped, though nothing may be:", *ran.skipped, sep="\n  ")
    sys.exit(not ran.wasSuccessful() or bool(ran.skipped) or ran.testsRun == 0)
