"""Columns by the names that users give."""

from tables import write

from chainrule.datasets.tables import load


def test_a_name_with_a_comma_is_one_column(tmp_path):
    path = write(tmp_path, "t.csv", 'a,"b,c",d\n1,2.5,x\n2,0.5,y\n4,1.5,x\n3,1,y\n')
    assert load(path, "b,c", drop="d").target == "b,c"
    assert load(path, drop=["b,c"]).feature_names == ("a",)
