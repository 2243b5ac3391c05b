"""Joins the decoder's graph for the first step and that for all others, as optimum does: one file with an If."""

import onnx
from onnx import TensorProto, helper


def renamed(graph, prefix, kept):
    name_of = lambda name: name if name in kept or name == "" else prefix + name
    for node in graph.node:
        node.input[:], node.output[:] = [name_of(n) for n in node.input], [name_of(n) for n in node.output]
    for weight in graph.initializer:
        weight.name = name_of(weight.name)
    for output in graph.output:
        output.name = name_of(output.name)


def merge(first_path, next_path, path):
    first, later = onnx.load(str(first_path)), onnx.load(str(next_path))
    inputs = [*later.graph.input, *(each for each in first.graph.input if each.name not in {known.name for known in later.graph.input})]
    outputs = [onnx.ValueInfoProto.FromString(each.SerializeToString()) for each in first.graph.output]
    kept = {each.name for each in inputs}
    renamed(first.graph, "a_", kept)
    renamed(later.graph, "b_", kept)
    weights, same = {}, {}
    for graph in (first.graph, later.graph):
        for weight in graph.initializer:
            key = (tuple(weight.dims), weight.data_type, weight.raw_data or weight.SerializeToString())
            same[weight.name] = weights.setdefault(key, weight).name
        for node in graph.node:
            node.input[:] = [same.get(n, n) for n in node.input]
        del graph.initializer[:]
    by_name = {each.name: each for each in later.graph.output}
    nodes, given = list(later.graph.node), []
    for output in outputs:
        known = by_name.get(f"b_{output.name}")
        if known is None:
            # Keys and values of the encoder are those that came in: the exporter gives back empty ones.
            dims = [0 if dim.dim_param else dim.dim_value for dim in output.type.tensor_type.shape.dim]
            known = helper.make_tensor_value_info(f"b_{output.name}", TensorProto.FLOAT, dims)
            value = helper.make_tensor("", TensorProto.FLOAT, [0, dims[1], 1, dims[3]], [])
            nodes.append(helper.make_node("Constant", [], [known.name], value=value))
            known = helper.make_tensor_value_info(known.name, TensorProto.FLOAT, [0, dims[1], 1, dims[3]])
        given.append(known)
    without = helper.make_graph(list(first.graph.node), "first", [], list(first.graph.output))
    with_past = helper.make_graph(nodes, "later", [], given)
    flag = helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])
    node = helper.make_node("If", ["use_cache_branch"], [each.name for each in outputs], then_branch=with_past, else_branch=without)
    graph = helper.make_graph([node], "merged", [*inputs, flag], outputs, list(weights.values()))
    model = helper.make_model(graph, opset_imports=first.opset_import, ir_version=first.ir_version)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
